/** Resolves at the first SIGINT or SIGTERM. A second one, from someone who does not want to wait, ends the process at once. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let seen = false;
    const take = (signal: NodeJS.Signals) => {
      if (seen) process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
      seen = true;
      resolve(signal);
    };
    process.on('SIGINT', take);
    process.on('SIGTERM', take);
  });
}
