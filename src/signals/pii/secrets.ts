import type { PiiFinding, PiiKind } from './finding.ts';

/** Shapes that vendors document for their own keys, tested on one token of [A-Za-z0-9_-]. */
const VENDOR_KEYS: readonly RegExp[] = [
  /^sk-(?:proj-|svcacct-|admin-|ant-(?:api|admin)\d\d-|or-v1-|lf-)?[A-Za-z0-9_-]{20,}$/, // OpenAI, Anthropic, OpenRouter, Langfuse
  /^(?:sk|rk|pk|whsec)_(?:live|test)_[A-Za-z0-9]{16,}$/, // Stripe
  /^(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}$/, // AWS
  /^gh[oprsu]_[A-Za-z0-9]{36,}$/, // GitHub
  /^github_pat_[A-Za-z0-9_]{22,}$/,
  /^gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_-]{20,}$/, // GitLab
  /^xox[abeprs]-[A-Za-z0-9-]{10,}$/, // Slack
  /^xapp-\d-[A-Za-z0-9-]{10,}$/,
  /^AIza[A-Za-z0-9_-]{35}$/, // Google
  /^GOCSPX-[A-Za-z0-9_-]{20,}$/,
  /^hf_[A-Za-z]{30,}$/, // Hugging Face
  /^npm_[A-Za-z0-9]{36}$/,
  /^pypi-AgE[A-Za-z0-9_-]{40,}$/,
  /^do[opr]_v1_[a-f0-9]{64}$/, // DigitalOcean
  /^shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}$/, // Shopify
  /^(?:SK|AC)[a-f0-9]{32}$/, // Twilio
  /^key-[a-f0-9]{32}$/, // Mailgun
  /^sq0(?:atp|csp)-[A-Za-z0-9_-]{22,}$/, // Square
  /^dp\.?(?:pt|st)_?[A-Za-z0-9]{40,}$/, // Doppler
  /^lin_api_[A-Za-z0-9]{32,}$/, // Linear
  /^ntn_[A-Za-z0-9]{40,}$|^secret_[A-Za-z0-9]{40,}$/, // Notion
  /^gsk_[A-Za-z0-9]{40,}$/, // Groq
  /^r8_[A-Za-z0-9]{30,}$/, // Replicate
  /^(?:hvs|hvb)\.?[A-Za-z0-9_-]{24,}$/, // Vault
  /^tskey-[A-Za-z0-9-]{20,}$/, // Tailscale
  /^dckr_pat_[A-Za-z0-9_-]{20,}$/,
];
/** `api_key = "…"` in front of a token makes a random-looking one a secret, whoever made it. */
const ASSIGNED =
  /(?:api[_ -]?key|apikey|access[_ -]?key|secret(?:[_ -]?(?:access)?[_ -]?key)?|auth[_ -]?token|access[_ -]?token|bearer|client[_ -]?secret|private[_ -]?token|password|passwd|pwd)\s*(?:is|:=|=>|=|:)?\s*["'`]?$/i;
const PLACEHOLDER =
  /example|your|xxxx|test[_-]?key|dummy|placeholder|redacted|changeme|sample|fake|insert|abcdef(?:gh)?|0000|1111|\*\*\*|12345678|<|\.\.\./i;

/** True when the token has one of the vendors' shapes and isn't a placeholder. */
export function secretConfidence(text: string, start: number, end: number): number | null {
  const token = text.slice(start, end);
  if (PLACEHOLDER.test(token)) return null;
  if (VENDOR_KEYS.some((shape) => shape.test(token))) return 1;
  if (token.length > 256 || token.length < 20 || !ASSIGNED.test(text.slice(Math.max(0, start - 32), start)))
    return null;
  return /\d/.test(token) && /[A-Za-z]/.test(token) && entropyBitsPerSymbol(token) > 3.2 ? 0.8 : null;
}

/** Shannon entropy of the token's own symbol counts, bits a symbol: words stay under 3, random base64 is above 4. */
function entropyBitsPerSymbol(token: string): number {
  const counts = new Map<string, number>();
  for (const symbol of token) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / token.length) * Math.log2(count / token.length);
  return bits;
}

const KEY_BLOCK = /^-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----/;
/** Longer than any key in use (RSA-16384 is 12.5 KB of PEM). */
const MAX_BLOCK = 16_384;

/** PEM and PGP private-key blocks, from BEGIN to END (or as far as the text goes). */
export function findPrivateKeys(text: string): PiiFinding[] {
  const findings: PiiFinding[] = [];
  for (let at = text.indexOf('-----BEGIN '); at >= 0; at = text.indexOf('-----BEGIN ', at + 1)) {
    const head = KEY_BLOCK.exec(text.slice(at, at + 80))?.[0];
    if (head === undefined) continue;
    const tail = text.indexOf(head.replace('BEGIN', 'END'), at);
    const end = tail >= 0 && tail - at <= MAX_BLOCK ? tail + head.length - 2 : at + head.length;
    // The bare header, or a header with dots, is talk about keys.
    const body = text.slice(at + head.length, at + head.length + 80);
    if (!/[A-Za-z0-9+/=]{24,}/.test(body.replace(/\\n/g, '\n'))) continue;
    findings.push({ kind: 'PRIVATE_KEY', start: at, end, confidence: 1 });
  }
  return findings;
}

const JWT = /^eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}/;

/** Signed JSON Web Tokens (RFC 7519), found from the base64 of `{"`. */
export function findJwts(text: string): PiiFinding[] {
  const findings: PiiFinding[] = [];
  for (let at = text.indexOf('eyJ'); at >= 0; at = text.indexOf('eyJ', at + 3)) {
    const token = JWT.exec(text.slice(at, at + 8192))?.[0];
    if (token === undefined || /[A-Za-z0-9_.-]$/.test(text.slice(Math.max(0, at - 1), at))) continue;
    findings.push({ kind: 'JWT', start: at, end: at + token.length, confidence: 1 });
    at += token.length;
  }
  return findings;
}

export type { PiiKind };
