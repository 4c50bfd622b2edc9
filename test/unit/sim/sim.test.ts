import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startSim, type Sim } from '../../../src/sim/sim.ts';

let sim: Sim;
let base: string;
beforeAll(async () => {
  sim = await startSim({ models: ['qwen3-32b', 'alias'], name: 'big', port: 0, keep: 5 });
  base = `http://127.0.0.1:${sim.port}`;
});
afterAll(() => sim.close());
afterEach(() => {
  sim.behave({ status: 200, delayMs: 0 });
  sim.forget();
});

const post = (
  body: object | string,
  headers: Record<string, string> = {},
  path = '/v1/chat/completions',
): Promise<Response> =>
  fetch(base + path, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
const chat = (extra: object = {}): object => ({
  model: 'qwen3-32b',
  messages: [{ role: 'user', content: 'Hi there' }],
  ...extra,
});
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever came
const jsonOf = async (response: Response): Promise<any> => response.json();
/** The data of each event of an SSE body. */
const eventsOf = (text: string): string[] =>
  text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''));

test('an answer says who gave it and what it was told', async () => {
  const response = await post({
    model: 'qwen3-32b',
    messages: [
      { role: 'system', content: 'You are a mathematician.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is 2 + 2?' },
          { type: 'image_url', image_url: { url: 'data:' } },
        ],
      },
    ],
    chat_template_kwargs: { enable_thinking: true },
    reasoning_effort: 'high',
  });
  expect(response.status).toBe(200);
  const body = await jsonOf(response);
  expect(body).toMatchObject({ object: 'chat.completion', model: 'qwen3-32b', choices: [{ finish_reason: 'stop' }] });
  expect(body.choices[0].message.content).toBe(
    'Hello from qwen3-32b (simulated). I was given the system prompt "You are a mathematician." and chat_template_kwargs.enable_thinking = true, reasoning_effort = "high". You said: "What is 2 + 2?"',
  );
  expect(body.usage.total_tokens).toBe(Number(body.usage.prompt_tokens) + Number(body.usage.completion_tokens));
});

test('a stream has a role, the text, a finish, usage when asked for, and [DONE]', async () => {
  const response = await post(chat({ stream: true, stream_options: { include_usage: true } }), { 'x-sim-chunks': '4' });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const events = eventsOf(await response.text());
  expect(events.at(-1)).toBe('[DONE]');
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
  expect(chunks).toHaveLength(1 + 4 + 1 + 1);
  expect(chunks[0].choices[0].delta.role).toBe('assistant');
  expect(chunks.at(-2).choices[0].finish_reason).toBe('stop');
  expect(chunks.at(-1).usage.completion_tokens).toBeGreaterThan(0);
});

test('without stream_options there is no usage in a stream', async () => {
  expect(await (await post(chat({ stream: true }))).text()).not.toContain('"usage"');
});

test('completions and embeddings', async () => {
  const completion = await jsonOf(await post({ model: 'alias', prompt: 'Say hi' }, {}, '/v1/completions'));
  expect(completion).toMatchObject({ object: 'text_completion', model: 'alias' });
  expect(completion.choices[0].text).toContain('"Say hi"');
  const embed = async (input: unknown) => jsonOf(await post({ model: 'alias', input }, {}, '/v1/embeddings'));
  const two = await embed(['a', 'b']);
  expect(two.data).toHaveLength(2);
  expect((await embed('a')).data[0].embedding).toEqual(two.data[0].embedding);
});

test.each([
  ['another model', JSON.stringify(chat({ model: 'other' })), '/v1/chat/completions', 404],
  ['no model', '{"messages":[]}', '/v1/chat/completions', 400],
  ['no JSON', '{', '/v1/chat/completions', 400],
  ['another path', JSON.stringify(chat()), '/v1/nothing', 404],
])('%s is refused as vLLM does', async (_, body, path, status) => {
  const response = await post(body, {}, path);
  expect(response.status).toBe(status);
  expect((await jsonOf(response)).error.code).toBe(status);
});

test('headers steer it: status, retry-after, delay', async () => {
  const started = performance.now();
  const response = await post(chat(), {
    'x-sim-status': 'big=429, small=500',
    'x-sim-retry-after': '7',
    'x-sim-delay-ms': '60',
  });
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toBe('7');
  expect(performance.now() - started).toBeGreaterThanOrEqual(59);
});

test.each([
  ['before the headers', { 'x-sim-cut': 'headers' }, 0],
  ['after two chunks', { 'x-sim-cut': '2' }, 2],
])('a connection cut %s', async (_, headers, chunks) => {
  let text = '';
  const read = async (): Promise<void> => {
    const response = await post(chat({ stream: true }), { ...headers, 'x-sim-chunk-delay-ms': '20' });
    for await (const chunk of response.body!) text += Buffer.from(chunk).toString();
  };
  await expect(read()).rejects.toThrow();
  expect(eventsOf(text)).toHaveLength(chunks);
  expect(sim.requests[0]).toMatchObject({ outcome: 'cut' });
});

test('a client that leaves is noticed', async () => {
  await expect(fetch(`${base}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(chat()), headers: { 'x-sim-delay-ms': '5000' }, signal: AbortSignal.timeout(50) })).rejects.toThrow(); // prettier-ignore
  for (let n = 0; n < 100 && sim.requests[0]?.outcome === 'open'; n += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(sim.requests[0]).toMatchObject({ outcome: 'client_left', status: 0 });
});

test('echo gives back what came: as a summary, or byte for byte', async () => {
  const body = '{ "model": "whatever",  "n": 12345678901234567890 }';
  const summary = await jsonOf(await post(body, { 'x-sim-echo': '1', 'x-mine': 'yes' }));
  expect(summary).toMatchObject({ path: '/v1/chat/completions', bodyBytes: body.length, body });
  expect(summary.headers['x-mine']).toBe('yes');
  expect(summary.bodySha256).toMatch(/^[0-9a-f]{64}$/);
  expect(await (await post(body, { 'x-sim-echo': 'body' })).text()).toBe(body);
});

test('it remembers the last requests and counts all by model', async () => {
  for (let n = 0; n < 7; n += 1) await post(chat({ model: n < 6 ? 'qwen3-32b' : 'x' }));
  const seen = (await jsonOf(await fetch(`${base}/sim/requests`))) as { model: string }[];
  expect(seen.map(({ model }) => model)).toEqual(['qwen3-32b', 'qwen3-32b', 'qwen3-32b', 'qwen3-32b', 'x']);
  expect(Object.fromEntries(sim.counts)).toEqual({ 'qwen3-32b': 6, x: 1 });
});

test('models, health and metrics', async () => {
  expect((await jsonOf(await fetch(`${base}/v1/models`))).data.map(({ id }: { id: string }) => id)).toEqual([
    'qwen3-32b',
    'alias',
  ]);
  expect((await fetch(`${base}/health`)).status).toBe(200);
  sim.behave({ status: 503 });
  expect((await fetch(`${base}/health`)).status).toBe(503);
  sim.pretend({ waiting: 3, cacheUsage: 0.5 });
  const metrics = await (await fetch(`${base}/metrics`)).text();
  expect(metrics).toContain('vllm:num_requests_waiting{model_name="qwen3-32b"} 3');
  expect(metrics).toContain('vllm:gpu_cache_usage_perc{model_name="qwen3-32b"} 0.5');
});

test('a port that is taken is an error', async () => {
  await expect(startSim({ models: ['x'], port: sim.port })).rejects.toThrow('EADDRINUSE');
});
