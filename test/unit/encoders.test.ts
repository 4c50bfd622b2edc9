import { expect, test } from '@jest/globals';
import { buildRegistry } from '../../src/config/registry.ts';
import { configSchema } from '../../src/config/schema.ts';
import { startEncoders } from '../../src/encoders.ts';
import type { RunningEncoder } from '../../src/ml/encoder.ts';
import { createLog } from '../../src/observability/log.ts';
import { createMetrics } from '../../src/observability/metrics.ts';

const registryOf = (modelId: string) =>
  buildRegistry(
    configSchema.parse({
      vllm_endpoints: [{ name: 'e', address: '10.0.0.1', port: 1, models: ['m'] }],
      classifier: { category_model: { model_id: modelId } },
    }),
  );

/** The folder's name says how many turns of the event loop the model takes to load; `broken` does not load, `stuck` does not close. */
async function open() {
  const closed: string[] = [];
  const create = async ({ bundleDir }: { readonly bundleDir: string }): Promise<RunningEncoder> => {
    const name = bundleDir.split('/').at(-1) ?? '';
    for (let turns = Number(/\d+/.exec(name)?.[0] ?? 0); turns > 0; turns -= 1) await new Promise(setImmediate);
    if (name === 'broken') throw new Error('no such model');
    const close = (): Promise<void> => {
      closed.push(name);
      return name === 'stuck' ? Promise.reject(new Error('a thread hangs')) : Promise.resolve();
    };
    return { name, close } as unknown as RunningEncoder;
  };
  const store = { current: () => registryOf('first') };
  const { log } = createLog({ level: 'silent', destination: { write: () => undefined } });
  const encoders = await startEncoders(store, createMetrics({ processMetrics: false }), log, create);
  const follow = (modelId: string) => encoders.follow(registryOf(modelId));
  const current = (): string => (encoders.current() as unknown as { readonly name: string }).name;
  return { encoders, follow, current, closed };
}

test('of two changes in a row the later one counts, though its model is loaded sooner', async () => {
  const { follow, current, closed } = await open();
  await Promise.all([follow('slow-20'), follow('quick-1')]);
  expect(current()).toBe('quick-1');
  expect(closed).toEqual(['first', 'slow-20']);
  await Promise.all([follow('slow-20'), follow('quick-1')]);
  expect(current()).toBe('quick-1');
});

test('what can not be loaded changes nothing, what can not be closed does not matter', async () => {
  const { encoders, follow, current, closed } = await open();
  await follow('broken');
  expect(current()).toBe('first');
  await follow('stuck');
  await follow('next');
  expect(current()).toBe('next');
  await follow('stuck');
  expect(current()).toBe('stuck');
  await follow('last');
  await encoders.close();
  expect(closed).toEqual(['first', 'stuck', 'next', 'stuck', 'last']);
});
