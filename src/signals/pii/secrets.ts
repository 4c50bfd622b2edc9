import { COLON, DOT, isSecret, runEnd, runStart } from './characters.ts';
import type { PiiFinding } from './finding.ts';

/** Shapes that vendors document for their own keys, tested on one piece of [A-Za-z0-9_-]. */
const VENDOR_KEY = new RegExp(
  [
    'sk-(?:proj-|svcacct-|admin-|ant-(?:api|admin)\\d\\d-|or-v1-|lf-)?[\\w-]{20,}', // OpenAI, Anthropic, OpenRouter, Langfuse
    '(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}', // Stripe, Clerk
    '(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}', // AWS
    'gh[oprsu]_[A-Za-z0-9]{36,}|github_pat_\\w{22,}', // GitHub
    'gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\\w-]{20,}', // GitLab
    'xox[abeprs]-[A-Za-z0-9-]{10,}|xapp-\\d-[A-Za-z0-9-]{10,}', // Slack
    'AIza[\\w-]{35}|GOCSPX-[\\w-]{20,}|ya29[\\w-]{20,}', // Google
    'hf_[A-Za-z]{30,}|api_org_[A-Za-z]{30,}', // Hugging Face
    'npm_[A-Za-z0-9]{36}|pypi-AgE[\\w-]{40,}|rubygems_[a-f0-9]{48}', // package registries
    'do[opr]_v1_[a-f0-9]{64}', // DigitalOcean
    'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}', // Shopify
    '(?:SK|AC)[a-f0-9]{32}', // Twilio
    'key-[a-f0-9]{32}', // Mailgun
    'xkeysib-[a-f0-9]{64}-\\w{16}', // Brevo
    'sq0(?:atp|csp)-[\\w-]{22,}|EAAA[\\w-]{60}', // Square
    'lin_api_[A-Za-z0-9]{32,}', // Linear
    'ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{40,}', // Notion
    'gsk_[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{30,}|xai-[A-Za-z0-9]{60,}|pplx-[A-Za-z0-9]{40,}|nvapi-[\\w-]{60,}', // Groq, Replicate, xAI, Perplexity, NVIDIA
    'tskey-[A-Za-z0-9-]{20,}|dckr_pat_[\\w-]{20,}|glsa_\\w{40,}|NRAK-[A-Z0-9]{27}|phc_[A-Za-z0-9]{40,}', // Tailscale, Docker, Grafana, New Relic, PostHog
    'figd_[\\w-]{36,}|dapi[a-f0-9]{32}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|ATATT3[\\w-]{50,}', // Figma, Databricks, Postman, Atlassian
  ]
    .map((shape) => `^(?:${shape})$`)
    .join('|'),
);
/** Keys in several pieces with points or colons between, by their last piece: SendGrid, Telegram, Doppler, Vault, Discord. */
const IN_PIECES = /(?:SG\.[\w-]{16,64}\.|(?<!\d)\d{8,10}:|dp\.(?:pt|st|sa)\.|hv[sbr]\.|[MN][\w-]{23,25}\.[\w-]{6}\.)$/;
const PIECES = /[\w-]{15,}/g;
/** `api_key = "…"` in front of a random-looking token makes it a secret, whoever made it. */
const ASSIGNED =
  /(?:(?:api|access|account|auth|encryption|signing|master|shared|license)[_ -]?key|(?:secret|private|service)[_ -]?(?:access[_ -]?)?key|api[_ -]?secret|client[_ -]?secret|(?:^|[^a-z])secret|(?:api|auth|access|refresh|bot|bearer|personal|github|_)[_ -]?token|token|bearer|basic|credentials?)["'`]?\s*(?:is|:=|=>|=|:)?\s*["'`]?$/i;
const WEBHOOK =
  /hooks\.slack\.com\/services\/T\w{6,}\/B\w{6,}\/\w{20,}|discord(?:app)?\.com\/api\/webhooks\/\d{15,}\/[\w-]{50,}/;
const PLACEHOLDER =
  /example|your|xxxx|test[_-]?key|dummy|placeholder|redacted|change_?me|sample|fake|insert|0{6}|1{6}|\*\*\*|\.\.\./i;
const MIN_TOKEN = 16;
/** Longer runs are encoded files. */
const MAX_TOKEN = 1024;
/** Random base 62 has 4 bits and more a symbol at 20 symbols, random hexadecimal 3.3; words have fewer, and hardly a digit. */
const MIN_ENTROPY_BITS = 3;

/** Keys of one text. */
export interface KeySearch {
  /** Keys in runs that have not been looked at and that reach into what is before `to`. */
  advance(to: number): PiiFinding[];
}

/**
 * Keys are runs of 16 characters or more. It is enough to look at every 16th character, and at a whole run only where that one belongs to
 * one: ordinary words cost next to nothing, and no character is read more than twice.
 */
export function createKeySearch(text: string): KeySearch {
  let next = MIN_TOKEN - 1;
  let floor = 0;
  return {
    advance: (to) => {
      const findings: PiiFinding[] = [];
      let at = next;
      while (at < to) {
        if (!isSecret(text.charCodeAt(at))) {
          at += MIN_TOKEN;
          continue;
        }
        const start = runStart(text, at, floor, isSecret);
        const end = runEnd(text, at, text.length, isSecret);
        if (end - start >= MIN_TOKEN && end - start <= MAX_TOKEN) findings.push(...keysIn(text, start, end));
        floor = end;
        at = end + MIN_TOKEN;
      }
      next = at;
      return findings;
    },
  };
}

function keysIn(text: string, start: number, end: number): PiiFinding[] {
  const run = text.slice(start, end);
  const found = vendorKeys(text, run, start);
  if (found.length > 0) return found;
  const webhook = WEBHOOK.exec(run);
  if (webhook !== null && !PLACEHOLDER.test(webhook[0])) {
    return [
      { kind: 'API_KEY', start: start + webhook.index, end: start + webhook.index + webhook[0].length, confidence: 1 },
    ];
  }
  if (!ASSIGNED.test(text.slice(Math.max(0, start - 40), start))) return [];
  // A full stop at the end is the sentence's.
  const token = text.slice(start, runStart(text, end, start, isMark));
  if (PLACEHOLDER.test(token) || !looksRandom(token)) return [];
  return [{ kind: 'API_KEY', start, end: runEnd(text, start + token.length, end + 2, isPadding), confidence: 0.8 }];
}

function vendorKeys(text: string, run: string, start: number): PiiFinding[] {
  const findings: PiiFinding[] = [];
  for (const { 0: piece, index } of run.matchAll(PIECES)) {
    const at = start + index;
    const head = piecesBefore(text, at, piece);
    if ((head === '' && !VENDOR_KEY.test(piece)) || PLACEHOLDER.test(piece) || !isVaried(piece)) continue;
    findings.push({ kind: 'API_KEY', start: at - head.length, end: at + piece.length, confidence: 1 });
  }
  return findings;
}

/** What belongs to the key before this piece of it; empty when nothing does. */
function piecesBefore(text: string, at: number, piece: string): string {
  const previous = text.charCodeAt(at - 1);
  if (previous !== DOT && previous !== COLON) return '';
  const head = IN_PIECES.exec(text.slice(Math.max(0, at - 80), at))?.[0] ?? '';
  return previous === COLON && !/^AA[\w-]{33}$/.test(piece) ? '' : head;
}

/** Mixed case or digits, and many different symbols: `sk-learn-and-other-packages` is neither. */
function isVaried(token: string): boolean {
  return (
    (/\d/.test(token) || (/[a-z]/.test(token) && /[A-Z]/.test(token))) && entropyBitsPerSymbol(token) > MIN_ENTROPY_BITS
  );
}

/** Random enough to be a key without a vendor's shape. Paths and names in words have few digits and capitals. */
function looksRandom(token: string): boolean {
  const marked = token.replace(/[^A-Z0-9]/g, '').length / token.length;
  return /\d/.test(token) && /[A-Za-z]/.test(token) && marked >= 0.25 && entropyBitsPerSymbol(token) > MIN_ENTROPY_BITS;
}

function isMark(code: number): boolean {
  return code === DOT || code === 126;
}

function isPadding(code: number): boolean {
  return code === 61;
}

/** Shannon entropy of the token's own symbol counts, bits a symbol. */
function entropyBitsPerSymbol(token: string): number {
  const counts = new Map<string, number>();
  for (const symbol of token) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / token.length) * Math.log2(count / token.length);
  return bits;
}
