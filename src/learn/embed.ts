import { detectLanguage } from '../signals/language.ts';
import type { Encoder } from '../signals/signals.ts';

/** Texts under way at once: enough for every worker to have one ahead, few enough for the encoder's queue. */
const AT_ONCE = 16;
/** A person waits for the whole file, not for one text. */
const DEADLINE_MS = 60_000;

export type EmbedOutcome =
  | { readonly kind: 'embedded'; readonly embeddings: readonly Float32Array[]; readonly unread: number }
  | { readonly kind: 'failed'; readonly position: number; readonly reason: string };

/**
 * The embedding of each text, in their order. `unread` counts texts in a language that the router does not give to the encoder: they are
 * learnt from, but no request like them will get a category. Stops at the first text without an embedding.
 */
export async function embedAll(
  texts: readonly string[],
  encoder: Encoder,
  onProgress: (done: number) => void = () => undefined,
): Promise<EmbedOutcome> {
  const embeddings: Float32Array[] = [];
  const failures: Extract<EmbedOutcome, { kind: 'failed' }>[] = [];
  let next = 0;
  let finished = 0;
  const take = async (): Promise<void> => {
    while (failures.length === 0 && next < texts.length) {
      const position = next;
      next += 1;
      const outcome = await encoder.encode(texts[position] ?? '', { deadlineMs: DEADLINE_MS });
      const embedding = outcome.kind === 'encoded' ? outcome.encoding.embedding : null;
      if (embedding === null) {
        const reason = outcome.kind === 'failed' ? outcome.reason : 'the base model gives no embedding';
        failures.push({ kind: 'failed', position, reason });
        return;
      }
      embeddings[position] = embedding;
      finished += 1;
      onProgress(finished / texts.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, take));
  const [failure] = failures;
  if (failure !== undefined) return failure;
  return { kind: 'embedded', embeddings, unread: texts.filter((text) => detectLanguage(text).unsupported).length };
}
