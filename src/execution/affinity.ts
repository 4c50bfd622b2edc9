/** Which conversation a request belongs to, and which replica a new conversation gets. Pure. */
import { createHash } from 'node:crypto';
import type { AffinityConfig } from '../config/schema-execution.ts';
import type { Target } from '../decision/decision.ts';
import type { ChatRequest, ContentPart } from '../openai/request.ts';

/** Keys are hashes: they say nothing of what they were made from. */
export interface SessionKeys {
  /** What keeps its replica; null when the request says nothing of itself. */
  readonly replica: string | null;
  /** The request begins a conversation, as far as can be told: what is remembered under its key is another one that began with the same words. */
  readonly isOpening: boolean;
  /** What keeps its model: one conversation, and only from its second turn on unless a header names it; null otherwise. */
  readonly model: string | null;
}

/** Characters of a message that tell conversations apart, and messages: a body may be nothing but openings. */
const FINGERPRINT_LENGTH = 4096;
const FINGERPRINT_MESSAGES = 64;

/**
 * The keys of a request. Replica: the header, else `prompt_cache_key`, else `user`, else a fingerprint of the first messages (those before the
 * first answer, which stay the same while a conversation grows). A user has many conversations and a cache key may belong to a whole application,
 * so the model is kept by header or fingerprint only.
 */
export function sessionKeys(
  request: ChatRequest,
  headers: ReadonlyMap<string, string>,
  { enabled, header, keep_model }: AffinityConfig,
): SessionKeys {
  if (!enabled) return { replica: null, isOpening: true, model: null };
  const named = headers.get(header.toLowerCase()) ?? null;
  const fingerprint = fingerprintOf(request);
  const own = named ?? request.promptCacheKey ?? request.user;
  const replica = own === null ? fingerprint : hashed('own', own);
  const isLater = request.messages.some(({ role }) => role === 'assistant');
  const conversation = named !== null ? hashed('own', named) : isLater ? fingerprint : null;
  return { replica, isOpening: own === null && !isLater, model: keep_model ? conversation : null };
}

/** The fingerprint under which a first turn is remembered, so that its later turns find it. */
export function fingerprintOf({ messages, user }: ChatRequest): string | null {
  const end = messages.findIndex(({ role }) => role === 'assistant');
  const opening = messages.slice(0, Math.min(FINGERPRINT_MESSAGES, end === -1 ? messages.length : end));
  if (opening.length === 0) return null;
  const parts = opening.map(({ role, parts: content }) => `${role}\u0001${beginningOf(content)}`);
  return hashed('opening', [user ?? '', ...parts].join('\u0003'));
}

/** The beginning of all texts together. */
function beginningOf(content: readonly ContentPart[]): string {
  let text = '';
  for (const [index, part] of content.entries()) {
    text += (index === 0 ? '' : '\u0002') + part.text.slice(0, FINGERPRINT_LENGTH);
    if (text.length >= FINGERPRINT_LENGTH) break;
  }
  return text.slice(0, FINGERPRINT_LENGTH);
}

export interface Placement {
  /** Requests that each address has under way. */
  readonly busy: (address: string) => number;
  /** Requests that each address got lately. */
  readonly recent: (address: string) => number;
  readonly weight: (target: Target) => number;
  /** A replica with more than so many times its share takes no new conversation. */
  readonly loadFactor: number;
}

/**
 * The address of a new conversation among the replicas of one model: weighted rendezvous hashing (Thaler and Ravishankar, 1998) with bounded
 * load (Mirrokni, Thorup and Zadimoghaddam, 2018). The same key gets the same replica, so that routers that know nothing of each other agree,
 * as long as that one has no more than its share: of what is under way (a slow replica takes less) and of what came lately (conversations
 * that are pausing are load too).
 */
export function place(
  key: string,
  targets: readonly Target[],
  { busy, recent, weight, loadFactor }: Placement,
): string | null {
  const totalWeight = targets.reduce((sum, target) => sum + weight(target), 0);
  const sumOf = (of: (address: string) => number) => targets.reduce((sum, { address }) => sum + of(address), 0);
  const [totalBusy, totalRecent] = [sumOf(busy), sumOf(recent)];
  const ranked = targets
    .map((target) => ({ target, score: -weight(target) / Math.log(unitHash(`${key}\u0000${target.address}`)) }))
    .sort((a, b) => b.score - a.score);
  const hasRoom = (target: Target): boolean => {
    const share = (loadFactor * weight(target)) / totalWeight;
    return (
      busy(target.address) < Math.ceil(share * (totalBusy + 1)) && recent(target.address) <= share * (totalRecent + 1)
    );
  };
  const chosen = ranked.find(({ target }) => hasRoom(target)) ?? ranked[0];
  return chosen?.target.address ?? null;
}

function hashed(kind: string, text: string): string {
  return createHash('sha256').update(`${kind}\u0000${text}`).digest('base64url').slice(0, 22);
}

/** A number in (0, 1), spread evenly over texts. */
function unitHash(text: string): number {
  return (createHash('sha256').update(text).digest().readUInt32BE(0) + 0.5) / 2 ** 32;
}
