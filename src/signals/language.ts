/**
 * Which language a text is written in, as far as that is plain: by script for most, by function words for those in Latin letters. The encoder
 * knows English only, so that the question that matters is whether a text is certainly something else; a text that cannot be told is not.
 */

export interface Language {
  /** ISO 639-1; `und` for a script that several languages share and we do not tell apart; null when nothing can be said. */
  readonly code: string | null;
  /** The text is certainly not English. */
  readonly unsupported: boolean;
}

const UNKNOWN: Language = { code: null, unsupported: false };

/** Characters that are looked at, from the beginning: a language shows early. */
const MAX_CHARS = 4000;
/** Letters of another script that make it certain, when they are also the majority. */
const CERTAIN_LETTERS = 20;
/** A Han or Hangul character says as much as about three letters. */
const DENSE_WEIGHT = 3;
/** Function words of a text's beginning; an instruction in English may carry a longer text in another language. */
const OPENING_WORDS = 12;

interface Script {
  readonly code: string;
  readonly letters: RegExp;
  readonly weight: number;
}

const script = (code: string, name: string, weight = 1): Script => ({
  code,
  letters: new RegExp(`\\p{Script=${name}}`, 'gu'),
  weight,
});

const SCRIPTS: readonly Script[] = [
  script('zh', 'Han', DENSE_WEIGHT),
  script('ja', 'Hiragana', DENSE_WEIGHT),
  script('ja', 'Katakana', DENSE_WEIGHT),
  script('ko', 'Hangul', DENSE_WEIGHT),
  script('ru', 'Cyrillic'),
  script('ar', 'Arabic'),
  script('he', 'Hebrew'),
  script('el', 'Greek'),
  script('th', 'Thai'),
  script('hi', 'Devanagari'),
  script('bn', 'Bengali'),
  script('ta', 'Tamil'),
  script('te', 'Telugu'),
  script('gu', 'Gujarati'),
  script('pa', 'Gurmukhi'),
  script('kn', 'Kannada'),
  script('ml', 'Malayalam'),
  script('si', 'Sinhala'),
  script('ka', 'Georgian'),
  script('hy', 'Armenian'),
  script('km', 'Khmer'),
  script('lo', 'Lao'),
  script('my', 'Myanmar'),
  script('am', 'Ethiopic'),
  script('bo', 'Tibetan'),
];

const LETTER = /\p{L}/gu;
/** A run of letters of any script but Latin would make every pattern above run for nothing. */
const NOT_LATIN = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u;

/** Letters that one language of a shared script has and the others lack. */
const REFINEMENTS: readonly (readonly [of: string, code: string, letters: RegExp])[] = [
  ['ru', 'uk', /[іїєґ]/iu],
  ['ru', 'sr', /[ђћљњџ]/iu],
  ['ar', 'ur', /[ٹڈڑں]/u],
  ['ar', 'fa', /[پچژگ]/u],
];

/** Says what a text is written in; looks at its first 4,000 characters at most. Code fences and addresses are left out. */
export function detectLanguage(text: string): Language {
  const prose = text
    .slice(0, MAX_CHARS)
    .replace(/```[\s\S]*?(?:```|$)/g, ' ')
    .replace(/\b[a-z]+:\/\/\S+/gi, ' ');
  const letters = prose.match(LETTER)?.length ?? 0;
  if (letters === 0) return UNKNOWN;
  if (NOT_LATIN.test(prose)) {
    const other = byScript(prose, letters);
    if (other !== null) return other;
  }
  return byFunctionWords(prose);
}

/** The commonest other script, when it has more than half of the letters; Han with any kana is Japanese. */
function byScript(prose: string, letters: number): Language | null {
  const counts = new Map<string, { letters: number; weighted: number }>();
  for (const { code, letters: pattern, weight } of SCRIPTS) {
    const count = prose.match(pattern)?.length ?? 0;
    const sum = counts.get(code) ?? { letters: 0, weighted: 0 };
    if (count > 0) counts.set(code, { letters: sum.letters + count, weighted: sum.weighted + count * weight });
  }
  const kana = counts.get('ja');
  const han = counts.get('zh');
  if (kana !== undefined && han !== undefined) {
    counts.set('ja', { letters: kana.letters + han.letters, weighted: kana.weighted + han.weighted });
    counts.delete('zh');
  }
  const [top] = [...counts].sort(([, a], [, b]) => b.weighted - a.weighted);
  if (top === undefined || top[1].letters * 2 <= letters) return null;
  const [code, { weighted }] = top;
  return { code: refine(code, prose), unsupported: weighted >= CERTAIN_LETTERS };
}

function refine(code: string, prose: string): string {
  return REFINEMENTS.find(([of, , pattern]) => of === code && pattern.test(prose))?.[1] ?? code;
}

const list = (words: string) => new Set(words.split(' '));

/** Words that are rare in English are what tells: a word that is also an English word, or common in code, is left out of the other lists. */
const ENGLISH = list(
  'the of and to in is are was were be been it its that this these those what which who how why when where with for from by on at as an a not do does did can could would should will have has had you your i my we our they their he she his her if or but so than then there about into my me please write explain give find',
);
const OTHERS: readonly (readonly [code: string, words: ReadonlySet<string>])[] = [
  [
    'es',
    list(
      'el los las una unos que qué cómo por para con del al es son está están como pero más muy sobre cuál cuáles dónde cuándo porque entre desde hasta también hay puedes puedo quiero necesito mi tu su sus esta este esto eres tiene hacer',
    ),
  ],
  [
    'fr',
    list(
      "le les une des du est sont que qui quoi comment pourquoi pour avec dans sur au aux ce cette ces il elle nous vous je ne pas plus mais où quel quelle quels quelles être avoir peux peut c'est qu'est l'on d'un d'une votre mon ma ses leur entre depuis écris expliquez",
    ),
  ],
  [
    'de',
    list(
      'der das ist sind und ein eine einen einem einer eines nicht mit auf für von zu zum zur wie wer warum wann wo welche welcher welches ich du wir ihr sie es auch aber oder wenn dass kann können mir mich dir bitte über nach bei aus sich wird werden haben hat mein meine',
    ),
  ],
  [
    'it',
    list(
      'il lo gli una che cosa come perché per con del della dei delle nel nella è sono questo questa quale quali quando dove non più ma anche mi ti si ho hai ha puoi vorrei mio mia tra fra degli alla dal scrivi spiega',
    ),
  ],
  [
    'pt',
    list(
      'os uma uns que como por para com do da dos das em no na nos nas é são não mais mas muito qual quais onde quando porque você eu meu minha seu sua este esta isso pode posso preciso também entre até foi ser está explique escreva',
    ),
  ],
  [
    'nl',
    list(
      'het een en van dat niet met voor zijn op te ik je hij wij jullie hoe wat waarom wanneer waar welke wie aan ook maar als dan naar bij uit om kan kunt wordt worden heeft hebben mijn deze dit door over',
    ),
  ],
  [
    'pl',
    list(
      'jest są się nie na to że jak co czy dla od po przez oraz ale czym kto gdzie kiedy dlaczego który która które jaki jaka jakie mi mnie mój moja być może można proszę ze przy tylko także napisz wyjaśnij',
    ),
  ],
  [
    'tr',
    list(
      'bir ve bu şu için ile nasıl nedir ne neden mi mı mu mü değil çok daha olan olarak gibi kadar var yok ben sen biz siz hangi nerede zaman ama veya bana benim açıkla yaz',
    ),
  ],
  [
    'vi',
    list(
      'là của và có không được cho các một những này đó như thế nào tại sao với trong khi về tôi bạn hãy cách gì ở từ đến ra người nhiều viết',
    ),
  ],
  [
    'id',
    list(
      'yang dan di ke dari untuk dengan ini itu adalah apa bagaimana mengapa kapan mana tidak saya kamu anda kita mereka bisa dapat akan pada dalam oleh juga atau tolong jelaskan buat tentang',
    ),
  ],
  [
    'sv',
    list(
      'och att det är en ett som på av för med inte den jag du vi hur vad varför när var vilken vilka kan om från till har eller men mig min skriv förklara',
    ),
  ],
  [
    'da',
    list(
      'og at det er en et som på af for med ikke den jeg du vi hvordan hvad hvorfor hvornår hvor hvilken kan om fra til har eller men mig min skriv forklar',
    ),
  ],
  [
    'fi',
    list(
      'ja on ei se että mikä mitä miten miksi milloin missä kuka ovat oli olla tai mutta kun niin myös minä sinä voi voit minun kuinka kirjoita selitä',
    ),
  ],
  [
    'cs',
    list(
      'je jsou se na že jak co proč kdy kde kdo který která které pro od po ale nebo také mi můj moje být může můžeš prosím ve při jako napiš vysvětli',
    ),
  ],
  [
    'ro',
    list(
      'este sunt și să nu cu pentru din care ce cum când unde pe la un o mai dar sau despre vă îmi poți explică scrie',
    ),
  ],
  [
    'hu',
    list(
      'az egy és hogy nem van is mi mit hogyan miért mikor hol ki milyen ez ezt azt de vagy meg csak nekem kérlek írj magyarázd',
    ),
  ],
];

/** Words that are looked at for Latin scripts. */
const MAX_WORDS = 200;
const WORD = /[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*/gu;
/** Different function words of one language that make it certain. */
const MIN_CERTAIN_WORDS = 3;

/** Names in source code can be anybody's function words: with a mark of code in 25 characters nothing is certain. */
const CODE_MARK = /[{}[\]();=<>$#_|]/g;
const CODE_MARK_SHARE = 25;

function byFunctionWords(prose: string): Language {
  const words = wordsOf(prose);
  const english = countIn(words, ENGLISH);
  let best = { code: 'en', hits: 0, distinct: 0 };
  for (const [code, known] of OTHERS) {
    const hits = words.filter((word) => known.has(word) && !ENGLISH.has(word));
    if (hits.length > best.hits) best = { code, hits: hits.length, distinct: new Set(hits).size };
  }
  if (english >= best.hits) return english === 0 ? UNKNOWN : { code: 'en', unsupported: false };
  const certain =
    best.distinct >= MIN_CERTAIN_WORDS &&
    best.hits >= 3 * english &&
    best.hits * 6 >= words.length &&
    countIn(words.slice(0, OPENING_WORDS), ENGLISH) < 3 &&
    (prose.match(CODE_MARK)?.length ?? 0) * CODE_MARK_SHARE < prose.length;
  if (certain) return { code: best.code, unsupported: true };
  return best.distinct >= 2 && english === 0 ? { code: best.code, unsupported: false } : UNKNOWN;
}

function countIn(words: readonly string[], known: ReadonlySet<string>): number {
  return words.filter((word) => known.has(word)).length;
}

function wordsOf(prose: string): string[] {
  const words: string[] = [];
  for (const [word] of prose.matchAll(WORD)) {
    if (words.push(word.toLowerCase().replaceAll('’', "'")) === MAX_WORDS) break;
  }
  return words;
}
