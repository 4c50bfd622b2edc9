/** The encoder that serves, and how it follows the config. Part of the composition root. */
import type { ApiDependencies } from './api/dependencies.ts';
import type { ConfigStore } from './config/store.ts';
import type { Registry } from './config/registry.ts';
import { messageOf } from './errors.ts';
import { createEncoder, type RunningEncoder } from './ml/encoder.ts';
import type { EncoderEvents } from './ml/pool.ts';
import { modelFolder } from './model-folder.ts';
import type { Log } from './observability/log.ts';
import type { Metrics } from './observability/metrics.ts';

/** The encoder in force and how it follows the config. */
export interface Encoders {
  current(): RunningEncoder;
  loaded(): ReturnType<ApiDependencies['model']>;
  /**
   * Loads another model when the config names one; the old one serves until the new one is warm, and stays when that fails. One change after the
   * other: the last config has the last word, however long each model takes.
   */
  follow(registry: Registry): Promise<void>;
  close(): Promise<void>;
}

/** Loads the model that the config names; resolves when it is warm. */
export async function startEncoders(
  store: Pick<ConfigStore, 'current'>,
  metrics: Metrics,
  log: Log,
  create: typeof createEncoder = createEncoder,
): Promise<Encoders> {
  const wanted = (registry: Registry) => registry.config.classifier.category_model;
  const start = (registry: Registry): Promise<RunningEncoder> =>
    create({
      bundleDir: modelFolder(wanted(registry).model_id),
      useCpu: wanted(registry).use_cpu,
      events: encoderEvents(metrics),
      log,
    });
  const nameOf = (registry: Registry): string => JSON.stringify([wanted(registry).model_id, wanted(registry).use_cpu]);
  let name = nameOf(store.current());
  let encoder = await start(store.current());
  let following = Promise.resolve();

  async function change(registry: Registry): Promise<void> {
    const next = nameOf(registry);
    if (next === name) return;
    const old = encoder;
    try {
      encoder = await start(registry);
      name = next;
    } catch (thrown) {
      log.error(
        { event: 'encoder_change_failed', error: messageOf(thrown) },
        'the new model could not be loaded; the old one goes on',
      );
      return;
    }
    // The new one serves, whatever becomes of the old one's threads.
    await old.close().catch(() => undefined);
  }

  return {
    current: () => encoder,
    loaded: () => {
      const { manifest, provider, workers } = encoder.info();
      return { manifest, provider, workers };
    },
    follow: (registry) => (following = following.then(() => change(registry))),
    close: async () => {
      await following;
      await encoder.close();
    },
  };
}

function encoderEvents(metrics: Metrics): Partial<EncoderEvents> {
  return {
    queueDepth: (texts) => metrics.set('switchyard_encoder_queue_depth', texts),
    queueWaitMs: (ms) => metrics.observe('switchyard_encoder_queue_wait_seconds', ms / 1000),
    inferenceMs: (ms) => metrics.observe('switchyard_encoder_inference_seconds', ms / 1000),
    batchSize: (texts) => metrics.observe('switchyard_encoder_batch_size', texts),
    restarts: () => metrics.inc('switchyard_failures_total', { where: 'encoder', policy: 'default_model' }),
  };
}
