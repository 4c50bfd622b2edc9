import { COLON, DASH, DOT, isHex, isWord, runEnd, runStart } from './characters.ts';
import type { PiiFinding } from './finding.ts';
import { FAMILY } from './label-words.ts';
import type { Labels } from './labels.ts';
import type { Word } from './word.ts';

const IPV4 = /(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![\w-])(?!\.\d)(?!\/\d)/y;
const SOFTWARE =
  /(?:^|[^a-z])(?:v|ver|version|release|build|firmware|driver|chrome|safari|firefox|edge|webkit|libssl|openssl|framework|update|upgraded?|to|from|bump(?:ed)?|section|clause|chapter|kapitel|heading|oid|figure|table|step|item|tag|requires)[\s:=/@-]*$/i;
const ADDRESS = /(?:^|[^a-z])(?:ip(?:v4)?|address|addr|host|server|client|peer|from|at|to)\W*$/i;
const NAMED = /(?:^|[^a-z])(?:ip|ip[ _-]?address|host|server)\W*(?:is|was)?\W*$/i;
const MAC_DASHED = /^(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}$/;
const MAC_COLONS = /^(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$/;
const MAC_DOTTED = /[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w.-])/y;

/** An IPv4 address that begins at the word; null for versions, networks, and addresses that everybody has. */
export function ipv4At(text: string, { start }: Word): PiiFinding | null {
  IPV4.lastIndex = start;
  const octets = IPV4.exec(text);
  if (octets === null) return null;
  const numbers = octets.slice(1).map(Number);
  if (numbers.some((number) => number > 255) || octets.slice(1).some((part) => /^0\d/.test(part))) return null;
  if (/[.\-/]/.test(text.charAt(start - 1)) && !/\/\/$/.test(text.slice(Math.max(0, start - 2), start))) return null;
  const [a = 0, b = 0, c = 0, d = 0] = numbers;
  if (isNobodys(a, b, d)) return null;
  const before = text.slice(Math.max(0, start - 16), start);
  // 3.11.4.2 is a version more often than an address; with a word for an address before it, it is one.
  const small = Math.max(b, c, d) < 30 && a < 30 && new Set(numbers).size > 1;
  if (/[=~<>!^]=\s?$|\^$/.test(before)) return null;
  if (SOFTWARE.test(before) && !(ADDRESS.test(before) && !small)) return null;
  const end = start + octets[0].length;
  const isNamed = NAMED.test(before) || /^ is (?:my|his|her|the|our|your) ip\b/i.test(text.slice(end, end + 16));
  if (small && !isNamed) return null;
  return { kind: 'IP_ADDRESS', start, end, confidence: 0.9 };
}

/** Loopback, private (RFC 1918), shared (RFC 6598), link-local, multicast, reserved; and ends of .0 and .255, which are networks. */
function isNobodys(a: number, b: number, d: number): boolean {
  if (a === 0 || a === 10 || a === 127 || a >= 224 || d === 0 || d === 255) return true;
  return (
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b <= 127)
  );
}

/** A run of hexadecimal groups with two colons or more: an IPv6 or MAC address, or a time, a fingerprint, a ratio. */
export interface ColonRun {
  readonly end: number;
  readonly finding: PiiFinding | null;
}

/** Reads the run around the word; null when it has fewer than two colons. */
export function colonRunAt(text: string, word: Word, labels: Labels): ColonRun | null {
  const start = runStart(text, word.start, Math.max(0, word.start - 48), isColonRun);
  let end = runEnd(text, word.end, text.length, isColonRun);
  if (!hasTwoColons(text, start, end)) return null;
  const next = end;
  while (
    end > start &&
    (text.charCodeAt(end - 1) === DOT || (text.charCodeAt(end - 1) === COLON && text.charCodeAt(end - 2) !== COLON))
  )
    end -= 1;
  const glued =
    isWord(text.charCodeAt(start - 1)) || isWord(text.charCodeAt(end)) || /^\/\d/.test(text.slice(end, end + 2));
  return {
    end: next,
    finding: glued || end - start > 48 ? null : colonAddress(text.slice(start, end), start, end, labels),
  };
}

function isColonRun(code: number): boolean {
  return code === COLON || code === DOT || isHex(code);
}

function hasTwoColons(text: string, start: number, end: number): boolean {
  let colons = 0;
  for (let i = start; i < end; i += 1) if (text.charCodeAt(i) === COLON && ++colons === 2) return true;
  return false;
}

function colonAddress(run: string, start: number, end: number, labels: Labels): PiiFinding | null {
  // Six pairs of digits alone are a time or a count more often.
  const isMac = MAC_COLONS.test(run) && (/[A-Fa-f]/.test(run) || labels.has(FAMILY.mac, start));
  if (isMac) return isSomebodys(run) ? { kind: 'MAC_ADDRESS', start, end, confidence: 0.95 } : null;
  return isIpv6(run) ? { kind: 'IP_ADDRESS', start, end, confidence: 0.95 } : null;
}

/** A global unicast address (2000::/3, RFC 4291) in text form. Local ones say nothing about a person; nothing else is routed. */
function isIpv6(run: string): boolean {
  if (!/^[23][0-9A-Fa-f]{3}:/.test(run) || run.includes('.')) return false;
  const halves = run.split('::');
  if (halves.length > 2) return false;
  const groups = run.split(':').filter((group) => group !== '');
  if (groups.some((group) => group.length > 4)) return false;
  return halves.length === 2 ? groups.length >= 3 && groups.length <= 7 : groups.length === 8;
}

/** A MAC address in pairs with dashes around the word. */
export function dashedMacAt(text: string, word: Word): PiiFinding | null {
  const start = runStart(text, word.start, Math.max(0, word.start - 18), isDashRun);
  const end = runEnd(text, word.end, word.end + 18, isDashRun);
  const run = text.slice(start, end);
  if (!MAC_DASHED.test(run) || !isSomebodys(run) || isWord(text.charCodeAt(start - 1)) || isWord(text.charCodeAt(end)))
    return null;
  return { kind: 'MAC_ADDRESS', start, end, confidence: 0.95 };
}

function isDashRun(code: number): boolean {
  return code === DASH || isHex(code);
}

/** Cisco's spelling, 0050.7966.6800; digits alone need a word for it. */
export function dottedMacAt(text: string, { start }: Word, labels: Labels): PiiFinding | null {
  MAC_DOTTED.lastIndex = start;
  const mac = MAC_DOTTED.exec(text)?.[0];
  if (mac === undefined || text.charCodeAt(start - 1) === DOT || !isSomebodys(mac)) return null;
  if (!/[A-Fa-f]/.test(mac) && !labels.has(FAMILY.mac, start)) return null;
  return { kind: 'MAC_ADDRESS', start, end: start + mac.length, confidence: 0.85 };
}

/** Not all zeros, not broadcast. */
function isSomebodys(mac: string): boolean {
  return !/^(?:[0:.-]+|[fF:.-]+)$/.test(mac);
}
