import { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf, RouterError } from '../errors.ts';

export type Provider = 'cuda' | 'cpu';

/** What the graph said about one text: rows of its outputs, as they came. */
export interface RawEncoding {
  /** Logits [labels]; empty when the graph was not asked for them. */
  readonly category: Float32Array;
  /** Logits [tiers]. */
  readonly difficulty: Float32Array | null;
  readonly jailbreakLogit: number | null;
  /** [dims], L2-normalised. */
  readonly embedding: Float32Array | null;
}

/** Widths that the manifest promises; an output that is absent there is not asked of the graph. */
export interface OutputWidths {
  readonly category: number | null;
  readonly difficulty: number | null;
  readonly jailbreak: boolean;
  readonly embedding: number | null;
}

export interface SessionOptions {
  readonly modelPath: string;
  /** Tried in order; the first that loads is used. */
  readonly providers: readonly Provider[];
  readonly widths: OutputWidths;
  /** Called with the reason for each provider that could not be loaded. */
  readonly warn: (message: string) => void;
}

export interface Session {
  readonly provider: Provider;
  /** One forward pass over a batch of token ids; shorter rows are padded and masked. Blocks the calling thread while it computes. */
  run(rows: readonly (readonly number[])[]): Promise<readonly RawEncoding[]>;
  close(): Promise<void>;
}

/**
 * The CPU kernel for a fused Add and LayerNormalization takes seven times as long as the two alone (onnxruntime 1.30, AVX-512): without the
 * fusion a pass over 64 tokens takes 4.15 ms in place of 4.76, one over 256 tokens 16.1 in place of 18.6.
 */
const SLOW_FUSIONS = 'SkipLayerNormFusion';

/** Opens the graph on the first provider that loads; throws RouterError MODEL_LOAD_FAILED when none does or the graph is another one. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const failures: string[] = [];
  for (const provider of options.providers) {
    try {
      const session = await InferenceSession.create(options.modelPath, {
        executionProviders: [provider],
        // One thread a session: workers are the parallelism, and two requests then do not fight for the same cores.
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        extra: { optimization: { disable_specified_optimizers: SLOW_FUSIONS } },
      });
      const fetches = outputNames(session, options);
      if (failures.length > 0) options.warn(`${failures.join('; ')}; using ${provider}`);
      return wrap(session, provider, fetches, options.widths);
    } catch (cause) {
      if (cause instanceof RouterError) throw cause;
      failures.push(`execution provider ${provider} cannot be loaded: ${messageOf(cause)}`);
    }
  }
  throw loadFailed(options.modelPath, failures.join('; '));
}

function outputNames(session: InferenceSession, { widths, modelPath }: SessionOptions): readonly string[] {
  const wanted = [
    ...(widths.category === null ? [] : ['category']),
    ...(widths.difficulty === null ? [] : ['difficulty']),
    ...(widths.jailbreak ? ['jailbreak'] : []),
    ...(widths.embedding === null ? [] : ['embedding']),
  ];
  const missing = wanted.filter((name) => !session.outputNames.includes(name));
  if (missing.length > 0) throw loadFailed(modelPath, `the graph has no output ${missing.join(', ')}`);
  return wanted;
}

function wrap(
  session: InferenceSession,
  provider: Provider,
  fetches: readonly string[],
  widths: OutputWidths,
): Session {
  return {
    provider,
    async run(rows) {
      const outputs = await session.run(feeds(rows), fetches);
      const rowOf = (name: string, width: number, row: number): Float32Array => {
        const data = outputs[name]?.data;
        if (!(data instanceof Float32Array) || data.length !== rows.length * width) {
          throw new Error(`output ${name} is not float32 [${rows.length}, ${width}]`);
        }
        // A copy: the tensor's own memory belongs to the runtime.
        return data.slice(row * width, (row + 1) * width);
      };
      return rows.map((_, row) => ({
        category: widths.category === null ? new Float32Array(0) : rowOf('category', widths.category, row),
        difficulty: widths.difficulty === null ? null : rowOf('difficulty', widths.difficulty, row),
        jailbreakLogit: widths.jailbreak ? (rowOf('jailbreak', 1, row)[0] ?? null) : null,
        embedding: widths.embedding === null ? null : rowOf('embedding', widths.embedding, row),
      }));
    },
    close: () => session.release(),
  };
}

/** input_ids and attention_mask, int64 [batch, longest row]; padding is id 0 with mask 0. */
function feeds(rows: readonly (readonly number[])[]): Record<string, Tensor> {
  const longest = Math.max(...rows.map((row) => row.length));
  const ids = new BigInt64Array(rows.length * longest);
  const mask = new BigInt64Array(rows.length * longest);
  for (const [index, row] of rows.entries()) {
    for (const [column, id] of row.entries()) ids[index * longest + column] = BigInt(id);
    mask.fill(1n, index * longest, index * longest + row.length);
  }
  const shape = [rows.length, longest];
  return { input_ids: new Tensor('int64', ids, shape), attention_mask: new Tensor('int64', mask, shape) };
}

function loadFailed(where: string, message: string): RouterError {
  return new RouterError({ code: 'MODEL_LOAD_FAILED', source: 'internal', where, message });
}
