/** Exit codes that scripts may rely on. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

/** Ends the command with this code and one message on standard error; nothing is printed for an empty message. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
  }
}
