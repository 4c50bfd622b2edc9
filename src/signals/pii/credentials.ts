import type { PiiFinding } from './finding.ts';

/** What follows "assw" in `password = "…"`, up to the value. */
const PASSWORD = /(?:or[dt]|d)s?["'`]?\s{0,3}(?:is|:=|=>|=|:)\s{0,3}["'`]?(?=\S)/iy;
const VALUE = /[^\s"'`,;<>(){}[\]|$]{8,64}/y;
const NO_VALUE = /your|example|changeme|placeholder|redacted|xxxx|\*\*|^(.)\1+$|^password/i;
/** `scheme://user:secret@host` before its `@`. */
const LOGIN = /:\/\/[^\s:/@]{0,64}:([^\s:/@]{6,64})$/;
const PLAIN_SECRET =
  /^(?:pass(?:word|wd)?|secret|user(?:name)?|postgres|root|admin|guest|token|changeme|example)\d{0,3}$/i;

/** The value of `password: …` whose "assw" is at `at`; null when it isn't one that somebody could log in with. */
export function passwordAt(text: string, at: number): PiiFinding | null {
  PASSWORD.lastIndex = at + 'assw'.length;
  if (!PASSWORD.test(text)) return null;
  const start = PASSWORD.lastIndex;
  VALUE.lastIndex = start;
  const value = VALUE.exec(text)?.[0].replace(/[.!?]$/, '');
  if (value === undefined || !isStrong(value) || NO_VALUE.test(value)) return null;
  return { kind: 'API_KEY', start, end: start + value.length, confidence: 0.7 };
}

/** The password of a connection string whose `@` is at `at`. */
export function loginAt(text: string, at: number): PiiFinding | null {
  const secret = LOGIN.exec(text.slice(Math.max(0, at - 140), at))?.[1];
  if (secret === undefined || PLAIN_SECRET.test(secret) || NO_VALUE.test(secret) || /^[$<{%[]/.test(secret))
    return null;
  return { kind: 'API_KEY', start: at - secret.length, end: at, confidence: 0.8 };
}

/** Letters, a digit, and capitals or marks: words of a sentence after "password is" are not. */
function isStrong(value: string): boolean {
  return /\d/.test(value) && /[a-z]/.test(value) && /[A-Z!@#%^&*_+~?-]/.test(value);
}
