/**
 * How well other languages are told from English: our own prompts in other languages (which of them are seen as such, and so not judged by an
 * encoder that knows English only), and all other own prompts, none of which should be refused. `npx tsx bench/languages.ts` writes
 * bench/languages.json, which docs/evaluation.md shows; the figures depend on nothing but the code and training/data.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { detectLanguage } from '../src/signals/language.ts';

const DATA = 'training/data';
/**
 * What each prompt of style `multilingual` is mainly written in, by hand: ISO 639-1 code → ids. Those of another style are there because they
 * were seen as foreign and rightly so: they do not count as English, nor as found.
 */
const WRITTEN_IN = 'bench/languages-of-prompts.json';
const STYLE = 'multilingual';

interface Prompt {
  readonly id: string;
  readonly text: string;
  readonly style: string;
}

const prompts = readdirSync(DATA)
  .filter((name) => name.endsWith('.jsonl'))
  .flatMap((name) => readFileSync(`${DATA}/${name}`, 'utf8').trimEnd().split('\n'))
  .map((line) => JSON.parse(line) as Prompt);
const byId = new Map(prompts.map((prompt) => [prompt.id, prompt]));
const writtenIn = JSON.parse(readFileSync(WRITTEN_IN, 'utf8')) as Readonly<Record<string, readonly string[]>>;

const labelled = new Set(Object.values(writtenIn).flat());
const unlabelled = prompts.filter(({ id, style }) => style === STYLE && !labelled.has(id));
const missing = [...labelled].filter((id) => !byId.has(id));
if (unlabelled.length + missing.length > 0) {
  throw new Error(
    `${WRITTEN_IN}: no language for ${unlabelled.map(({ id }) => id).join(', ') || 'none'}; no such prompt: ${missing.join(', ') || 'none'}`,
  );
}

const rows = Object.entries(writtenIn)
  .map(([code, ids]) => {
    const found = ids
      .flatMap((id) => byId.get(id) ?? [])
      .filter(({ style }) => style === STYLE)
      .map(({ text }) => detectLanguage(text));
    return {
      code,
      prompts: found.length,
      refused: found.filter(({ unsupported }) => unsupported).length,
      named: found.filter((language) => language.code === code).length,
      takenForEnglish: found.filter((language) => language.code === 'en').length,
    };
  })
  .filter((row) => row.prompts > 0)
  .sort((one, two) => two.prompts - one.prompts || (one.code < two.code ? -1 : 1));
const english = prompts.filter(({ id }) => !labelled.has(id));
const refusedEnglish = english.filter(({ text }) => detectLanguage(text).unsupported).map(({ id }) => id);
const result = { rows, english: { prompts: english.length, refused: refusedEnglish.length, ids: refusedEnglish } };
const json = `${JSON.stringify(result, null, 2)}\n`;
writeFileSync('bench/languages.json', json);
process.stdout.write(json);
