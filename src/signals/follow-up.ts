/**
 * Does a short message mean something by itself, or does it lean on the conversation before it? The encoder follows whatever subject fills
 * most of its input, so that a follow-up needs the conversation ("yes, do that") and a new subject must come without it ("now write me a poem").
 * No model tells these apart here: function words and shared words do, at the cost of a few microseconds.
 */

/** A message with more characters than this speaks for itself. */
export const MAX_FOLLOW_UP_CHARS = 240;
/** …and so does one with more words that carry a subject. */
const MAX_SUBJECT_WORDS = 6;

/** Words that carry no subject: grammar, politeness, and what people say about an answer rather than about its subject. */
const NO_SUBJECT = new Set(
  `a about above actually add after again all almost also always am an and another any anything are as ask at
  back be because been before being below best better between bit both but by
  can cant change come comes compare conclusion continue correct could couldnt
  describe detail detailed details did didnt do does doesnt doing done dont down
  each easier faster harder cheaper slower either elaborate else end ever every example examples exactly expand explain explanation
  few final fine finish first five fix follow for formal format found four friendly from full fully further
  get give given go goes going good got great had half happen happened happens has have havent hello help her here hers hey hi him his hmm how however
  i id if ill im in instead into is isnt it its ive
  just keep know last later least left less let lets like list little long longer look lot
  made make makes many may maybe me mean means might mine more most much must my
  need needed never new next nice no nope not nothing now
  of off ok okay on once one ones only option or other others otherwise our out over own
  paragraph part perfect please point points polite prefer previous probably professional put
  question questions quick quickly quite rather read really reason redo rephrase replace reply respond rest result reword rewrite right
  said same say says second see seem seems send sentence sentences several she short shorten shorter should show similar simple simpler simply since so some something sorry sound sounds source sources specific start step steps still stop such suggest suggestion summarise summarize summary sure
  table take takes tell than thank thanks that thats the their them then there these they thing things think third this those though thought three through till time to together too total true try turn two type
  under understand until up us use used using usual
  version versions very want was wasnt way ways we well were what whats when where whether which while who whole whom whose why will wish with within without wont word words work works worse would write wrong
  yeah yep yes yet you your yours
  alternative alternatives applies apply caveats check cite common disadvantages advantages double downsides drawbacks eli5 handout helpful idea ideas mistake mistakes number numbers
  page pages people pros cons quiz slide slides student students summary tl dr tldr u ur upsides
  step-by-step bullet bullets briefly brief concise english`.split(/\s+/),
);

/** Pointers to something that was said before. */
const POINTERS = new Set(
  `it its it's itself that that's this these those them they their he she his her him above previous earlier former latter same again
  instead also too either both another other others else`.split(/\s+/),
);

/** Beginnings that go on from what was said. */
const GOES_ON =
  /^(?:(?:ok|okay|yes|no|thanks|thank you|great|hmm|well|so|now)[\s,.!]+)*(?:and|but|or|what about|how about|why not|what if|then|in that case|now (?:in|with|for|as|using)|same|any|which (?:one|of))\b/i;

/** Introductions of a subject, whatever stands before them. */
const INTRODUCES = /\b(?:about|help (?:me )?with|resources? (?:on|for)|examples? of)\b/i;
/** Questions whose first noun is their subject. */
const YES_OR_NO = /^(?:is|are|was|were|do|does|did|can|could|should|will|has|have)\b/i;

/** Beginnings of a question or an order that names its own subject. */
const NAMES_ITS_SUBJECT =
  /^(?:(?:ok|okay|thanks|thank you|great|now|please|hi|hello|hey)[\s,.!]+)*(?:(?:can|could|would) you )?(?:please )?(?:who|what (?:is|are|was|were|does|do|did|causes?)|when (?:is|was|did)|how (?:do|does|to|can|did|is|are)|why (?:is|are|do|does|did|was)|can|write|define|explain|describe|translate|solve|calculate|compute|tell me|recommend|suggest|create|implement|generate|draft|plan|compare|prove)\b/i;

/** "point 3", "the other 2": an item of a list, not a subject. */
const SMALL_NUMBER = /^\d{1,2}$/;
const WORD = /[\p{L}\p{M}\p{N}_'’+#^*/=-]+/gu;
/** Scripts without spaces between words: two characters stand for a word. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** Words are compared by this many leading letters, so that "vaccine" meets "vaccines" and "dissociation" meets "dissociated". */
const STEM_LETTERS = 5;

/**
 * True when `message` should be read with the conversation before it. `before` is what would be read with it; only messages of at most
 * `MAX_FOLLOW_UP_CHARS` characters can lean. Pure and linear in both lengths.
 */
export function leansOnConversation(message: string, before: string): boolean {
  if (message.length > MAX_FOLLOW_UP_CHARS) return false;
  const words = wordsOf(message);
  const subjects = subjectsOf(words);
  if (subjects.length === 0) return true;
  if (subjects.length > MAX_SUBJECT_WORDS) return false;
  const shared = countShared(subjects, before);
  // Most of its subject was spoken of before.
  if (shared * 2 > subjects.length) return true;
  if (GOES_ON.test(message)) return subjects.length <= 3;
  const points = words.some((word) => POINTERS.has(word));
  if (points) return subjects.length - shared <= 2 && !NAMES_ITS_SUBJECT.test(message);
  return subjects.length === 1 && ![NAMES_ITS_SUBJECT, INTRODUCES, YES_OR_NO].some((pattern) => pattern.test(message));
}

/** True when a message has a subject of its own to speak of, whatever came before. */
export function hasSubject(message: string): boolean {
  return message.length > MAX_FOLLOW_UP_CHARS || subjectsOf(wordsOf(message)).length >= 2;
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.toLowerCase().matchAll(WORD)) {
    if (!UNSPACED.test(word)) words.push(word.replaceAll('’', "'"));
    else for (let at = 0; at < word.length; at += 2) words.push(word.slice(at, at + 2));
  }
  return words;
}

function subjectsOf(words: readonly string[]): string[] {
  return words.filter((word) => !SMALL_NUMBER.test(word) && !NO_SUBJECT.has(word.replaceAll("'", '')));
}

function countShared(subjects: readonly string[], before: string): number {
  const known = new Set(wordsOf(before).map(stemOf));
  return subjects.filter((subject) => known.has(stemOf(subject))).length;
}

function stemOf(word: string): string {
  return word.length > STEM_LETTERS ? word.slice(0, STEM_LETTERS) : word.replace(/s$/, '');
}
