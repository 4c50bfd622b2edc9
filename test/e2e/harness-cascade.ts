/** A stack with a cascade of three models, and short words for what its tests ask and look at. */
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import type { GivenAnswer } from '../../src/sim/behaviour.ts';
import type { Exchange } from './harness-client.ts';
import { startStack, type Stack } from './harness.ts';
import { until } from './harness-wait.ts';

export const NAMES = ['cheap', 'middle', 'strong'] as const;
type Name = (typeof NAMES)[number];

/** `auto` means cheap, then middle, then strong. The rule `capped` allows hardly any escalation. */
export const CONFIG = `
vllm_endpoints:
${NAMES.map((name) => `  - { name: e-${name}, address: 127.0.0.1, port: '\${PORT_${name.toUpperCase()}}', models: [${name}] }`).join('\n')}
  - { name: e-cheap-2, address: 127.0.0.1, port: '\${PORT_SPARE}', models: [cheap], weight: 0 }
model_config:
  cheap: { pricing: { prompt_per_1m: 1, completion_per_1m: 2 } }
  middle: { pricing: { prompt_per_1m: 10, completion_per_1m: 20 } }
  strong: { reasoning_family: qwen3, pricing: { prompt_per_1m: 100, completion_per_1m: 200 } }
default_model: cheap
timeouts: { first_byte: 4s, decision: 5s }
fallback: { retry_budget: 1 }
health: { consecutive_errors: 1000, min_requests: 100000, ejection: 1ms, max_ejection: 1ms }
affinity: { enabled: false }
cascade: { enabled: true, escalate_to: [middle, strong], min_mean_logprob: -1, max_share: 1, max_answer: 64KiB }
rules:
  - { name: plain, when: { header: { x-route: plain } }, then: { model: cheap, cascade: false } }
  - name: capped
    when: { header: { x-route: capped } }
    then: { model: cheap, cascade: { max_share: 0.2, min_escalations: 2, window: 1h } }
  - { name: refusals, when: { header: { x-route: refusals } }, then: { model: cheap, cascade: { checks: [refusal] } } }
`;

/** Odd spacing, a long number and an escape: what a parser and a printer would not give back as it was. */
export const GOOD =
  '{ "id":"c-1" , "object":"chat.completion","choices":[ {"index":0,"message":{"role":"assistant","content":"Caf\\u00e9 1.0"},"finish_reason":"stop"} ],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12},"seed":12345678901234567890}\n';

export const answer = (choice: object, more: object = {}): GivenAnswer => ({
  body: JSON.stringify({
    object: 'chat.completion',
    choices: [{ index: 0, finish_reason: 'stop', ...choice }],
    usage: { prompt_tokens: 70, completion_tokens: 30, total_tokens: 100 },
    ...more,
  }),
});
export const says = (content: string | null, more: object = {}): GivenAnswer =>
  answer({ message: { role: 'assistant', content }, ...more });
export const REFUSAL = says("I'm sorry, but I can't help with that.");
export interface CascadeStack {
  readonly stack: () => Stack;
  /** One request through the cascade; gives the answer and its id. */
  readonly ask: (extra?: object, headers?: Record<string, string>) => Promise<Exchange & { readonly id: string }>;
  /** Who got a request. */
  readonly received: () => readonly string[];
  readonly give: (name: Name, given: GivenAnswer) => void;
  readonly usageOf: (id: string, count: number) => Promise<readonly Record<string, unknown>[]>;
  readonly attemptsOf: (id: string) => Promise<Record<string, unknown>>;
  readonly metric: (name: string) => Promise<number>;
}

/** Starts it before a suite's tests and stops it after them; before each test all endpoints are well and have seen nothing. */
export function cascadeStack(config = CONFIG): CascadeStack {
  let running: Stack | undefined;
  let serial = 0;
  const stack = (): Stack => {
    if (running === undefined) throw new Error('the stack is not there yet');
    return running;
  };
  beforeAll(async () => {
    running = await startStack({
      config,
      sims: [...NAMES.map((name) => ({ name, models: [name] })), { name: 'spare', models: ['cheap'] }],
    });
    for (const model of NAMES) await stack().chat(model);
  }, 60_000);
  afterAll(() => running?.stop());
  beforeEach(() => {
    for (const name of NAMES) {
      stack().sim(name).behave({ given: null, status: 200, cut: null, retryAfterS: null, delayMs: 0 });
      stack().sim(name).forget();
    }
  });
  const linesOf = async (event: string, id: string, count: number): Promise<readonly Record<string, unknown>[]> => {
    const lines = () =>
      stack()
        .events(event)
        .filter((line) => line['request_id'] === id);
    await until(() => lines().length >= count, `${count} ${event} lines of ${id}`);
    return lines();
  };
  return {
    stack,
    ask: async (extra = {}, headers = {}) => {
      const id = `cascade-${(serial += 1)}`;
      return { ...(await stack().chat('auto', extra, { 'x-request-id': id, ...headers })), id };
    },
    received: () => NAMES.filter((name) => stack().sim(name).requests.length > 0),
    give: (name, given) => stack().sim(name).behave({ given }),
    usageOf: (id, count) => linesOf('llm_usage', id, count),
    attemptsOf: async (id) => (await linesOf('routing_attempts', id, 1))[0]!,
    metric: async (name) => {
      const text = await (await fetch(`${stack().apiUrl}/metrics`)).text();
      const line = text.split('\n').find((one) => one.startsWith(`${name} `));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
  };
}
