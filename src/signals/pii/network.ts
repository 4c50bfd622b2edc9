import { wordsBefore } from './context.ts';
import type { PiiFinding } from './finding.ts';

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const SOFTWARE =
  /\b(?:v|ver|version|release|build|firmware|driver|chrome|safari|firefox|edge|webkit|update|upgrade[sd]?(?: (?:to|from))?|bump(?:ed)?(?: to)?|section|clause|chapter|oid|figure|step|item|tag)[\s:=/@-]*$/;

/** How sure an IPv4 address is personal: null when the text is none, low when it is one that everybody has. */
export function ipv4Confidence(text: string, start: number, end: number): number | null {
  const octets = IPV4.exec(text.slice(start, end));
  if (octets === null) return null;
  const [a, b, c, d] = [Number(octets[1]), Number(octets[2]), Number(octets[3]), Number(octets[4])];
  if (Math.max(a, b, c, d) > 255 || octets.slice(1).some((part) => /^0\d/.test(part))) return null;
  const next = text.slice(end, end + 3);
  // A longer dotted number is a version or an OID; `/24` makes it a network.
  if (/^\.\d|^\/\d|^[\w-]/.test(next) || /[\w.-]$/.test(text.slice(Math.max(0, start - 1), start))) return null;
  if (SOFTWARE.test(wordsBefore(text, start))) return null;
  if (a === 0 || a === 127 || a >= 224 || d === 0 || d === 255) return null;
  // Unrouted addresses say nothing about a person.
  if (a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) || (a === 169 && b === 254)) return 0.4;
  // Well-known resolvers stand in half of all networking questions.
  if ((a === 8 && b === 8) || (a === 1 && (b === 1 || b === 0)) || (a === 9 && b === 9)) return 0.4;
  if (a < 4 && b < 30 && c < 30 && d < 30) return 0.4;
  return 0.9;
}

const HEX_RUN_BEFORE = /[0-9A-Fa-f:.%]+$/;
const HEX_RUN_AFTER = /^[0-9A-Fa-f:.]+/;
const MAC = /^(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$/;
const MAC_DASHED = /^(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}$/;

/** IPv6 and MAC addresses, found from their colons. */
export function findColonAddresses(text: string): PiiFinding[] {
  const findings: PiiFinding[] = [];
  let from = 0;
  for (let colon = text.indexOf(':'); colon >= 0; colon = text.indexOf(':', Math.max(from, colon + 1))) {
    const before = HEX_RUN_BEFORE.exec(text.slice(Math.max(from, colon - 40), colon))?.[0] ?? '';
    const after = HEX_RUN_AFTER.exec(text.slice(colon, colon + 60))?.[0] ?? '';
    const start = colon - before.length;
    let run = before + after;
    run = run.replace(/[.:]+$/, (tail) => (tail === '::' ? tail : ''));
    const end = start + run.length;
    from = Math.max(end, colon + 1);
    const outside = text.slice(Math.max(0, start - 1), start) + text.slice(end, end + 1);
    if (/[\w]/.test(outside)) continue;
    if (MAC.test(run)) {
      if (isPersonalMac(run)) findings.push({ kind: 'MAC_ADDRESS', start, end, confidence: 0.95 });
    } else if (isIpv6(run))
      findings.push({ kind: 'IP_ADDRESS', start, end, confidence: /^fe80|^f[cd]/i.test(run) ? 0.4 : 0.9 });
  }
  return findings;
}

/** A MAC address written with dashes; null for anything else. */
export function isDashedMac(token: string): boolean {
  return MAC_DASHED.test(token) && /[A-Fa-f]/.test(token)
    ? isPersonalMac(token)
    : MAC_DASHED.test(token) && isPersonalMac(token);
}

/** Not all zeros, not broadcast. */
function isPersonalMac(mac: string): boolean {
  return !/^(?:00[:-]?)+$|^(?:ff[:-]?)+$/i.test(mac);
}

/** RFC 4291 text form, without zone and without embedded IPv4; loopback and unspecified are nobody's address. */
function isIpv6(run: string): boolean {
  if (run === '::' || run === '::1' || run.includes('.')) return false;
  const halves = run.split('::');
  if (halves.length > 2) return false;
  const groups = run.split(':').filter((group) => group !== '');
  if (groups.some((group) => group.length > 4)) return false;
  if (halves.length === 2) {
    // `a::b` alone is C++ or Ruby more often than an address: ask for a digit and two full groups.
    return (
      groups.length >= 2 &&
      groups.length <= 7 &&
      groups.filter((group) => group.length >= 3).length >= 1 &&
      /\d/.test(run)
    );
  }
  return groups.length === 8 && /[a-f]|\d{3}/i.test(run);
}
