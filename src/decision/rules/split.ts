import type { RuleConfig } from '../../config/schema-policy.ts';
import type { ChatRequest } from '../../openai/request.ts';
import { firstCharacters } from '../../signals/join-parts.ts';

type Split = NonNullable<RuleConfig['then']['split']>;

/** Header that names a conversation for sticky splits. */
export const SESSION_HEADER = 'x-session-id';

/**
 * The model of a split for this request, of those that may serve it; null when none with a share may. The same key always gets the same
 * model, and taking a model away or adding one moves only the keys that it had or gets: weighted rendezvous hashing (Thaler and
 * Ravishankar, 1998; the weights by −w / ln h). Without a key (or sticky: none) the share is drawn with `random`.
 */
export function splitModel(
  split: Split,
  salt: string,
  key: string | null,
  mayServe: (model: string) => boolean,
  random: () => number,
): string | null {
  const shares = Object.entries(split.weights).filter(([model, weight]) => weight > 0 && mayServe(model));
  if (key === null) return drawn(shares, random);
  let best: { readonly model: string; readonly score: number } | null = null;
  for (const [model, weight] of shares) {
    const score = -weight / Math.log(hash(`${salt}\u0000${key}\u0000${model}`));
    if (best === null || score > best.score) best = { model, score };
  }
  return best?.model ?? null;
}

function drawn(shares: readonly (readonly [string, number])[], random: () => number): string | null {
  let point = random() * shares.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [model, weight] of shares) {
    point -= weight;
    if (point < 0) return model;
  }
  return shares.at(-1)?.[0] ?? null;
}

/**
 * What a split sticks to. user: the body's `user`. session: the session header, else `prompt_cache_key`, else `user`, else the first user
 * message, which stays the same while a conversation grows. Null when there is nothing to stick to.
 */
export function stickyKey(
  sticky: Split['sticky'],
  request: ChatRequest,
  headers: ReadonlyMap<string, string>,
): string | null {
  switch (sticky) {
    case 'none':
      return null;
    case 'user':
      return request.user;
    case 'session':
      return headers.get(SESSION_HEADER) ?? request.promptCacheKey ?? request.user ?? firstUserText(request);
  }
}

/** Characters of the first message that tell conversations apart. */
const FINGERPRINT_LENGTH = 2048;

function firstUserText(request: ChatRequest): string | null {
  const first = request.messages.find(({ role }) => role === 'user');
  const text = firstCharacters(first?.parts.map((part) => part.text) ?? [], FINGERPRINT_LENGTH);
  return text === '' ? null : text;
}

/** A number in (0, 1) that is spread evenly over texts: FNV-1a over the UTF-16 units, then the finaliser of MurmurHash3 (public domain). */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (((h ^ (h >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}
