/**
 * What the router costs: the same Envoy with and without it, in interleaved rounds, distinct prompts. `npm run bench` writes
 * bench/RESULTS.md; `-- --quick` runs a tenth of it and writes nothing.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { load, quantile, type LoadResult } from './load.ts';
import { chatBodies } from './prompts.ts';
import { startBenchStack, usageOf, type BenchStack } from './stack.ts';
import { measureStreams, type StreamDelays } from './streams.ts';

const TOKENS = [16, 64, 256, 512];
const CONCURRENCIES = [1, 8, 32];
const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 2 : 3;
const THROUGHPUT_MS = quick ? 5000 : 20_000;

let seed = 1;
const failures = { requests: 0, failed: 0 };

interface Row {
  readonly tokens: number;
  readonly concurrency: number;
  readonly direct: readonly number[];
  readonly routed: readonly number[];
  readonly decision: readonly number[];
}

async function measure(stack: BenchStack, tokens: number, concurrency: number): Promise<Row> {
  const perRound = (quick ? 20 : 60) * Math.ceil(concurrency ** 0.5);
  const direct: number[] = [];
  const routed: number[] = [];
  const decision: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const bodies = chatBodies(tokens, perRound, seed++);
    const body = (index: number): string => bodies[index % bodies.length] ?? '';
    const past = await load({ url: stack.directUrl, concurrency, requests: perRound, body });
    const through = await load({
      url: stack.routedUrl,
      concurrency,
      requests: perRound,
      body,
      onAnswer: (_status, headers) => {
        const latency = headers['x-switchyard-latency-ms'];
        if (typeof latency === 'string') decision.push(Number(latency));
      },
    });
    direct.push(...past.samples.map((sample) => sample.latencyMs));
    routed.push(...through.samples.map((sample) => sample.latencyMs));
    count(through, perRound);
  }
  return { tokens, concurrency, direct, routed, decision };
}

function count(result: LoadResult, wanted: number): void {
  failures.requests += wanted;
  failures.failed += result.errors + result.samples.filter((sample) => sample.status !== 200).length;
}

async function throughput(stack: BenchStack, tokens: number) {
  const bodies = chatBodies(tokens, quick ? 3000 : 20_000, seed++);
  const before = { router: usageOf(stack.router), envoy: usageOf(stack.envoy) };
  const result = await load({
    url: stack.routedUrl,
    concurrency: 32,
    durationMs: THROUGHPUT_MS,
    body: (index) => bodies[index % bodies.length] ?? '',
  });
  const after = { router: usageOf(stack.router), envoy: usageOf(stack.envoy) };
  count(result, result.samples.length + result.errors);
  const requests = result.samples.length;
  return {
    tokens,
    requests,
    perSecond: requests / (result.elapsedMs / 1000),
    p50: quantile(
      result.samples.map((sample) => sample.latencyMs),
      0.5,
    ),
    p99: quantile(
      result.samples.map((sample) => sample.latencyMs),
      0.99,
    ),
    routerCpuMs: ((after.router.cpuS - before.router.cpuS) * 1000) / requests,
    envoyCpuMs: ((after.envoy.cpuS - before.envoy.cpuS) * 1000) / requests,
    rssMiB: after.router.rssMiB,
    peakMiB: after.router.peakMiB,
  };
}

const ms = (value: number): string => value.toFixed(2);

function latencyTable(rows: readonly Row[]): string {
  const lines = rows.map(({ tokens, concurrency, direct, routed, decision }) => {
    const [d50, r50] = [quantile(direct, 0.5), quantile(routed, 0.5)];
    const cells = [
      tokens,
      concurrency,
      routed.length,
      ms(d50),
      ms(r50),
      `**${ms(r50 - d50)}**`,
      ms(quantile(direct, 0.99)),
      ms(quantile(routed, 0.99)),
      ms(quantile(decision, 0.5)),
      ms(quantile(decision, 0.99)),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| prompt tokens | concurrency | requests | past the router p50 | through it p50 | added p50 | past p99 | through p99 | decision p50 | decision p99 |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n');
}

function streamTable({ direct, routed }: { readonly direct: StreamDelays; readonly routed: StreamDelays }): string {
  const row = (name: string, { chunkMs, firstMs }: StreamDelays): string =>
    `| ${[name, chunkMs.length, ...[0.5, 0.95].map((q) => ms(quantile(chunkMs, q))), ms(quantile(firstMs, 0.5))].join(' | ')} |`;
  return [
    '| | chunks | delay p50 | delay p95 | first chunk p50 |',
    '| --- | ---: | ---: | ---: | ---: |',
    row('past the router', direct),
    row('through it', routed),
  ].join('\n');
}

const stack = await startBenchStack();
try {
  const idle = usageOf(stack.router);
  // Warm both ways: JIT, connections, the encoder's arenas.
  for (const url of [stack.directUrl, stack.routedUrl]) {
    const bodies = chatBodies(64, 400, seed++);
    await load({ url, concurrency: 8, requests: 400, body: (index) => bodies[index] ?? '' });
  }
  const rows: Row[] = [];
  for (const tokens of TOKENS)
    for (const concurrency of CONCURRENCIES) rows.push(await measure(stack, tokens, concurrency));
  const rates = [];
  for (const tokens of [16, 64, 256]) rates.push(await throughput(stack, tokens));
  const streams = await measureStreams(stack, quick ? 2 : 8);
  const after = usageOf(stack.router);
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim();
  const report = `# Results

Made by \`npm run bench\`. Load generator, Envoy, router and endpoint (a direct response of the same Envoy) share the machine: compare rows, don't quote them as absolutes. Times in milliseconds. Every prompt is different, so no answer comes from the memo. Rounds past and through the router are interleaved.

- machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}; Envoy ${execFileSync('cat', ['envoy/VERSION']).toString().trim()}
- commit: ${commit}
- date: ${new Date().toISOString().slice(0, 10)}
- requests through the router: ${failures.requests}, failed: ${failures.failed}
- ready ${Math.round(stack.readyMs)} ms after the start of the process; resident ${Math.round(idle.rssMiB)} MiB when ready, ${Math.round(after.rssMiB)} MiB after the run, ${Math.round(after.peakMiB)} MiB at its peak

## Added latency

"Decision" is the router's own time from the whole body to its answer (\`x-switchyard-latency-ms\`). The encoder's window is 256 tokens: a longer prompt is cut to its beginning and end.

${latencyTable(rows)}

## Streams

From the endpoint's write of a chunk to the client's read of it, 60 chunks 15 ms apart, and the first chunk from the sending of the request (less the endpoint's own time, which is the same both ways).

${streamTable(streams)}

## Throughput

32 connections, as fast as they go.

| prompt tokens | requests/s | p50 | p99 | router CPU ms/request | Envoy CPU ms/request | router RSS MiB |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rates.map((r) => `| ${r.tokens} | **${Math.round(r.perSecond)}** | ${ms(r.p50)} | ${ms(r.p99)} | ${ms(r.routerCpuMs)} | ${ms(r.envoyCpuMs)} | ${Math.round(r.rssMiB)} |`).join('\n')}
`;
  process.stdout.write(report);
  if (!quick) writeFileSync('bench/RESULTS.md', report);
  process.stderr.write(`log lines: ${JSON.stringify(Object.fromEntries(stack.events))}\n`);
} finally {
  await stack.stop();
}
