import http from 'node:http';
import { performance } from 'node:perf_hooks';
import { STREAM_MODEL, type BenchStack } from './stack.ts';

/** What one way of streaming cost. The endpoint runs in this process, so that both times are of one clock. */
export interface StreamDelays {
  /** From the endpoint's write to our read, each chunk. */
  readonly chunkMs: number[];
  /** From our request to the first chunk, each stream. */
  readonly firstMs: number[];
}

/** Streams in turn past and through the router, so that both meet the same machine. */
export async function measureStreams(stack: BenchStack, rounds: number) {
  const direct: StreamDelays = { chunkMs: [], firstMs: [] };
  const routed: StreamDelays = { chunkMs: [], firstMs: [] };
  for (let round = 0; round < rounds; round += 1) {
    await stream(stack.directStreamUrl, direct);
    await stream(stack.routedUrl, routed);
  }
  return { direct, routed };
}

function stream(url: string, delays: StreamDelays): Promise<void> {
  const body = JSON.stringify({ model: STREAM_MODEL, stream: true, messages: [{ role: 'user', content: 'Stream.' }] });
  const headers = {
    'content-type': 'application/json',
    'x-sim-chunks': '60',
    'x-sim-chunk-delay-ms': '15',
    'x-sim-timestamps': '1',
  };
  return new Promise((resolve, reject) => {
    const started = performance.now();
    let isFirst = true;
    const request = http.request(url, { method: 'POST', headers }, (response) => {
      response.on('data', (chunk: Buffer) => {
        const now = performance.now();
        if (isFirst) delays.firstMs.push(now - started);
        isFirst = false;
        const readAt = performance.timeOrigin + now;
        for (const [, writtenAt] of chunk.toString().matchAll(/"sim_written_at":([\d.]+)/g))
          delays.chunkMs.push(readAt - Number(writtenAt));
      });
      response.on('end', resolve);
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}
