import type { PiiFinding } from './finding.ts';

const MAX_LOCAL = 64;
const LOCAL_END = /[\p{L}\p{N}._%+'-]+$/u;
const DOMAIN_START =
  /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+(\p{L}{2,24}|xn--[a-z0-9-]{2,59})(?![\p{L}\p{N}-])/u;
/** Endings of files, not of domains: `icon@2x.png`, `style@media.css`. */
const FILE_ENDING =
  /^(?:png|jpe?g|gif|svg|webp|css|js|mjs|ts|tsx|jsx|json|ya?ml|html?|txt|pdf|zip|gz|service|socket|timer|local|localhost)$/i;
/** Accounts of machines: `git@host:path` is an address of a repository. */
const MACHINE_ACCOUNT = /^(?:git|hg|svn|noreply|no-reply|donotreply|mailer-daemon)$/i;

/** E-mail addresses, found from their `@`. */
export function findEmails(text: string): PiiFinding[] {
  const findings: PiiFinding[] = [];
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const local = LOCAL_END.exec(text.slice(Math.max(0, at - MAX_LOCAL), at))?.[0].replace(/^['.-]+/, '');
    const domain = DOMAIN_START.exec(text.slice(at + 1, at + 256));
    if (local === undefined || local === '' || local.endsWith('.') || domain === null) continue;
    if (FILE_ENDING.test(domain[1] ?? '') || MACHINE_ACCOUNT.test(local)) continue;
    const start = at - local.length;
    const end = at + 1 + domain[0].length;
    // `https://user@host/…` and `scp user@host:path` name accounts on machines; `mailto:` names a person.
    if (
      /(?:https?|ssh|ftp|git|postgres(?:ql)?|mysql|redis|amqp|mongodb(?:\+srv)?):\/\/\S*$/.test(
        text.slice(Math.max(0, start - 40), start),
      )
    )
      continue;
    if (/^:[\w~/.]/.test(text.slice(end, end + 2)) && !/\s/.test(text.slice(end + 1, end + 2))) continue;
    findings.push({ kind: 'EMAIL_ADDRESS', start, end, confidence: 1 });
  }
  return findings;
}
