import { elapsedMs, failure, json, type Answer } from './answer.ts';
import type { EmbeddingsBody, SimilarityBody } from './bodies.ts';
import { encodingFailed, notClassified } from './classify.ts';
import type { ApiDependencies } from './dependencies.ts';
import { encodeTexts } from './encode-texts.ts';
import type { Lane, Lanes } from './lane.ts';

interface Context {
  readonly dependencies: ApiDependencies;
  readonly lanes: Lanes;
}

/** POST /api/v1/embeddings: one L2-normalised vector a text, in order, from the encoder that classifies. */
export async function embeddings(body: EmbeddingsBody, signal: AbortSignal, context: Context): Promise<Answer> {
  const { clock } = context.dependencies;
  const start = clock();
  const unsuitable = checkModel(body, context.dependencies);
  if (unsuitable !== null) return unsuitable;
  // A thousand vectors are 8 MB of JSON: each is printed as it comes, so that no single step holds the event loop.
  const parts: string[] = [];
  let dimension = 0;
  const failed = await encodeAll(body.texts, signal, context, context.lanes.background, (index, embedding, ms) => {
    dimension = embedding.length;
    parts[index] =
      `{"embedding":${JSON.stringify(Array.from(embedding))},"dimension":${embedding.length},"processing_time_ms":${ms}}`;
  });
  if (failed !== null) return failed;
  const totalMs = elapsedMs(clock, start);
  const model = JSON.stringify(context.dependencies.model()?.manifest.name ?? null);
  return {
    kind: 'text',
    status: 200,
    contentType: 'application/json',
    text: `{"embeddings":[${parts.join(',')}],"model":${model},"dimension":${dimension},"total_count":${parts.length},"total_processing_time_ms":${totalMs}}`,
  };
}

/** POST /api/v1/similarity: cosine of the two texts' embeddings, -1..1. */
export async function similarity(body: SimilarityBody, signal: AbortSignal, context: Context): Promise<Answer> {
  const { clock } = context.dependencies;
  const start = clock();
  const unsuitable = checkModel(body, context.dependencies);
  if (unsuitable !== null) return unsuitable;
  const vectors: Float32Array[] = [];
  const failed = await encodeAll(
    [body.text1, body.text2],
    signal,
    context,
    context.lanes.interactive,
    (index, embedding) => {
      vectors[index] = embedding;
    },
  );
  if (failed !== null) return failed;
  const [first, second] = vectors;
  if (first === undefined || second === undefined) return notClassified('encoder_error');
  return json({
    similarity: cosine(first, second),
    model_used: context.dependencies.model()?.manifest.name ?? null,
    processing_time_ms: elapsedMs(clock, start),
  });
}

/** Cosine of two L2-normalised vectors of one length; clamped since float32 rounding can pass ±1. */
export function cosine(first: Float32Array, second: Float32Array): number {
  let sum = 0;
  for (const [index, value] of first.entries()) sum += value * (second[index] ?? 0);
  return Math.min(1, Math.max(-1, sum));
}

async function encodeAll(
  texts: readonly string[],
  signal: AbortSignal,
  { dependencies }: Context,
  lane: Lane,
  take: (index: number, embedding: Float32Array, ms: number) => void,
): Promise<Answer | null> {
  const encoder = dependencies.encoder();
  if (encoder === null) return notClassified('encoder_unavailable');
  let refused: Answer | null = null;
  const failed = await encodeTexts(
    texts,
    (index, encoded) => {
      if (encoded.kind === 'failed') refused ??= encodingFailed(encoded);
      else if (encoded.encoding.embedding === null) refused ??= noEmbedding();
      else take(index, encoded.encoding.embedding, Math.round(encoded.ms * 1000) / 1000);
    },
    { encoder, lane, clock: dependencies.clock, signal },
  );
  return failed === null ? refused : encodingFailed(failed);
}

function noEmbedding(): Answer {
  return failure(501, 'NOT_SUPPORTED_BY_MODEL', 'The loaded model has no embedding output.');
}

/** One model is loaded and its vectors have one length: whoever asks for another must hear it. */
function checkModel(
  asked: { readonly model?: string | undefined; readonly dimension?: number | undefined },
  dependencies: ApiDependencies,
): Answer | null {
  const loaded = dependencies.model()?.manifest;
  if (loaded === undefined) return null;
  if (asked.model !== undefined && asked.model !== 'auto' && asked.model !== loaded.name) {
    return failure(400, 'INVALID_INPUT', `model: only "auto" and "${loaded.name}" are served here.`);
  }
  const dimension = loaded.outputs.embedding?.dims;
  if (asked.dimension !== undefined && dimension !== undefined && asked.dimension !== dimension) {
    return failure(400, 'INVALID_DIMENSION', `dimension: ${loaded.name} has ${dimension} dimensions and no others.`);
  }
  return null;
}
