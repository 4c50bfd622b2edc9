/** Words of one token each in the encoder's vocabulary, so that a prompt's token count is its word count plus [CLS] and [SEP]. */
const WORDS = (
  'the of and to in for is on that by this with from they it at are was or as be have not which their if will one can more ' +
  'about what when some time people water number law energy market price value function model cell light force history study war state ' +
  'theory group system court right public power change health blood heart drug patient child mind memory test data code program network ' +
  'line point space field wave mass speed charge acid metal gas heat flow pressure force work plant animal species gene protein bank money ' +
  'trade tax cost risk return growth demand supply contract crime property duty claim truth reason moral good king empire city church army'
).split(' ');

/** A deterministic random number generator (mulberry32): the same seed gives the same prompts in every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Prompts that are `tokens` encoder tokens long, each one different. */
export function promptTexts(tokens: number, count: number, seed: number): string[] {
  const random = seeded(seed);
  const word = (): string => WORDS[Math.floor(random() * WORDS.length)] ?? 'the';
  return Array.from({ length: count }, () => Array.from({ length: Math.max(1, tokens - 2) }, word).join(' '));
}

/** Chat request bodies with such prompts. */
export function chatBodies(tokens: number, count: number, seed: number): string[] {
  return promptTexts(tokens, count, seed).map((content) =>
    JSON.stringify({ model: 'auto', messages: [{ role: 'user', content }], max_tokens: 16 }),
  );
}
