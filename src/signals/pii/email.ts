import { AT, DASH, DOT, isWord, runEnd, UNDERSCORE } from './characters.ts';
import type { PiiFinding } from './finding.ts';

/** RFC 5321, 4.5.3.1: octets of a local part and of a domain. */
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;
/** Endings of files and of hosts inside a network, not of domains: `icon@2x.png`, `app@db.internal`. */
const NO_DOMAIN =
  /^(?:png|jpe?g|gif|svg|webp|css|js|mjs|cjs|ts|tsx|jsx|json|ya?ml|html?|txt|pdf|gz|tgz|service|socket|timer|local|localhost|internal|lan)$/i;
/** Accounts of machines: `git@host:path` is an address of a repository. */
const MACHINE_ACCOUNT = /^(?:git|hg|svn|noreply|no-reply|donotreply|mailer-daemon)$/i;
const LOGIN = /:\/\/[^\s/@]{0,64}$/;
const PATH = /^:(?:[/~.]|[\w.-]{1,64}\/)/;

/** The e-mail address around the `@` at `at`; null when there is none. Looks at 64 characters before it and 253 after. */
export function emailAt(text: string, at: number): PiiFinding | null {
  const start = localStart(text, at);
  const end = domainEnd(text, at + 1);
  if (start === at || end === null) return null;
  if (MACHINE_ACCOUNT.test(text.slice(start, at))) return null;
  // `https://user@host/…` and `scp user@host:path` name accounts on machines.
  if (LOGIN.test(text.slice(Math.max(0, start - MAX_LOCAL), start + 1)) || PATH.test(text.slice(end, end + 80)))
    return null;
  return { kind: 'EMAIL_ADDRESS', start, end, confidence: 1 };
}

function localStart(text: string, at: number): number {
  const limit = Math.max(0, at - MAX_LOCAL);
  let start = at;
  while (start > limit && isLocal(text.charCodeAt(start - 1))) start -= 1;
  // A quotation mark or a full stop before the address is not part of it, and no local part ends with a full stop.
  while (start < at && /['.-]/.test(text.charAt(start))) start += 1;
  return text.charCodeAt(at - 1) === DOT ? at : start;
}

/** Letters (RFC 6531 allows all), digits and the marks that mail systems let people have: . _ % + ' - */
function isLocal(code: number): boolean {
  return (
    isWord(code) || code === DOT || code === DASH || code === 37 || code === 39 || code === 43 || isOtherLetter(code)
  );
}

function isOtherLetter(code: number): boolean {
  return code >= 0x600 && /\p{L}/u.test(String.fromCharCode(code));
}

/** Where the domain that begins at `from` ends; null when it is none: at least two labels, the last of letters. */
function domainEnd(text: string, from: number): number | null {
  let end = runEnd(text, from, from + MAX_DOMAIN + 1, isDomain);
  if (end - from > MAX_DOMAIN || text.charCodeAt(end) === AT) return null;
  while (end > from && /[.-]/.test(text.charAt(end - 1))) end -= 1;
  const labels = text.slice(from, end).split('.');
  const top = labels.at(-1) ?? '';
  const isTop = /^(?:\p{L}{2,24}|xn--[a-z0-9-]{2,59})$/u.test(top) && !NO_DOMAIN.test(top);
  const areLabels = labels.every(
    (label) => label !== '' && label.length <= 63 && !label.startsWith('-') && !label.endsWith('-'),
  );
  return labels.length >= 2 && isTop && areLabels ? end : null;
}

function isDomain(code: number): boolean {
  return code === DOT || code === DASH || (isWord(code) && code !== UNDERSCORE) || isOtherLetter(code);
}
