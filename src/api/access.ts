import { createHash, timingSafeEqual } from 'node:crypto';
import { failure, type ErrorAnswer } from './answer.ts';
import type { AccessSettings } from './dependencies.ts';

/** What of a request decides about access. */
export interface Caller {
  readonly authorization: string | undefined;
  /** The host that the client asked for, without port. */
  readonly hostname: string;
  readonly origin: string | undefined;
}

/**
 * Null when the caller may use the management routes (they show and change prompts), else the refusal. With an admin token set, whoever
 * sends it may. Without one the routes are open only where the API is bound to the loopback address, to callers that ask for it by a
 * loopback name: a web page that rebinds its DNS name to 127.0.0.1, or posts across origins, is turned away.
 */
export function refuseManagement(caller: Caller, settings: AccessSettings): ErrorAnswer | null {
  if (settings.adminToken !== null) {
    const sent = /^Bearer (.+)$/i.exec(caller.authorization ?? '')?.[1] ?? '';
    if (sameText(sent, settings.adminToken)) return null;
    return failure(401, 'UNAUTHORIZED', 'This route needs the admin token: Authorization: Bearer <token>.', {
      headers: { 'www-authenticate': 'Bearer' },
    });
  }
  if (isLoopback(settings.host) && isLoopback(caller.hostname) && isLocalOrigin(caller.origin)) return null;
  return failure(
    403,
    'MANAGEMENT_CLOSED',
    'Management routes are closed here. Set SWITCHYARD_ADMIN_TOKEN and send it, or use the API through its loopback address.',
  );
}

/** True for the names and addresses that never leave this machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

function isLocalOrigin(origin: string | undefined): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && isLoopback(new URL(origin).hostname);
}

/** Compares in a time that does not depend on where the texts differ. */
function sameText(first: string, second: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(first), digest(second));
}
