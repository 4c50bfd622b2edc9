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
  /** Loads another model when the config names one; the old one serves until the new one is warm, and stays when that fails. */
  follow(registry: Registry): Promise<void>;
  close(): Promise<void>;
}

/** Loads the model that the config names; resolves when it is warm. */
export async function startEncoders(store: ConfigStore, metrics: Metrics, log: Log): Promise<Encoders> {
  const wanted = (registry: Registry) => registry.config.classifier.category_model;
  const start = (registry: Registry): Promise<RunningEncoder> =>
    createEncoder({
      bundleDir: modelFolder(wanted(registry).model_id),
      useCpu: wanted(registry).use_cpu,
      events: encoderEvents(metrics),
      log,
    });
  const nameOf = (registry: Registry): string => JSON.stringify([wanted(registry).model_id, wanted(registry).use_cpu]);
  let name = nameOf(store.current());
  let encoder = await start(store.current());
  return {
    current: () => encoder,
    loaded: () => {
      const { manifest, provider, workers } = encoder.info();
      return { manifest, provider, workers };
    },
    follow: async (registry) => {
      const next = nameOf(registry);
      if (next === name) return;
      const previous = name;
      name = next;
      try {
        const replacement = await start(registry);
        const old = encoder;
        encoder = replacement;
        await old.close();
      } catch (thrown) {
        name = previous;
        log.error(
          { event: 'encoder_change_failed', error: messageOf(thrown) },
          'the new model could not be loaded; the old one goes on',
        );
      }
    },
    close: () => encoder.close(),
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
