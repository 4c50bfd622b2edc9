/** Searches one text for many words at once: the automaton of Aho and Corasick ("Efficient string matching", CACM 18(6), 1975). */
export interface KeywordSet {
  /** Positions of the keywords that occur in the text as whole words, whatever the case. One step a character, whatever the number of keywords. */
  search(text: string): ReadonlySet<number>;
}

/** Letters, digits and the underscore of any script continue a word. */
const WORD = /[\p{L}\p{N}\p{M}_]/u;
/** Scripts that put no space between words: every character may begin or end one. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/u;

interface Node {
  readonly next: Map<number, Node>;
  /** The node of the longest proper suffix that is also a prefix of a keyword. */
  fail: Node | null;
  /** Keywords that end here. */
  readonly ends: number[];
  /** The nearest node on the chain of `fail` where a keyword ends. */
  output: Node | null;
}

/** Builds the automaton; memory is one node a distinct prefix. White space in a keyword stands for any run of it; an empty keyword is never found. */
export function compileKeywords(keywords: readonly string[]): KeywordSet {
  const folded = keywords.map(fold);
  const root: Node = { next: new Map(), fail: null, ends: [], output: null };
  folded.forEach((keyword, index) => {
    if (keyword !== '') insert(root, keyword, index);
  });
  linkFailures(root);
  // Most characters of most texts begin no keyword: one byte each tells, without a look into the tree.
  const begins = new Uint8Array(65_536);
  for (const code of root.next.keys()) begins[code] = 1;
  return { search: (text) => search(root, begins, folded, fold(text)) };
}

/** Lower case, with each run of white space as one blank. */
function fold(text: string): string {
  return text.toLowerCase().replace(/\s+/g, ' ').trim();
}

function insert(root: Node, keyword: string, index: number): void {
  let node = root;
  for (let at = 0; at < keyword.length; at += 1) {
    const code = keyword.charCodeAt(at);
    let next = node.next.get(code);
    if (next === undefined) node.next.set(code, (next = { next: new Map(), fail: root, ends: [], output: null }));
    node = next;
  }
  node.ends.push(index);
}

/** Breadth first: a node's suffix is shorter, so it is linked before the node is. */
function linkFailures(root: Node): void {
  const queue: Node[] = [...root.next.values()];
  for (const node of queue) {
    for (const [code, child] of node.next) {
      let suffix = node.fail;
      while (suffix !== null && !suffix.next.has(code)) suffix = suffix.fail;
      child.fail = suffix?.next.get(code) ?? root;
      queue.push(child);
    }
    const { fail } = node;
    node.output = fail === null || fail.ends.length > 0 ? fail : fail.output;
  }
}

function search(root: Node, begins: Uint8Array, keywords: readonly string[], text: string): ReadonlySet<number> {
  const found = new Set<number>();
  let node = root;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (node === root && begins[code] === 0) continue;
    let next = node.next.get(code);
    while (next === undefined && node.fail !== null) {
      node = node.fail;
      next = node.next.get(code);
    }
    node = next ?? root;
    for (let hit: Node | null = node; hit !== null; hit = hit.output) {
      for (const index of hit.ends) {
        if (!found.has(index) && isWholeWord(text, at + 1 - (keywords[index]?.length ?? 0), at + 1)) found.add(index);
      }
    }
  }
  return found;
}

/** True where the match is not the inner part of a longer word. An edge of the keyword that is no word character needs no boundary. */
function isWholeWord(text: string, start: number, end: number): boolean {
  return !(joins(text, start - 1, start) || joins(text, end - 1, end));
}

function joins(text: string, left: number, right: number): boolean {
  return isWord(charAt(text, left)) && isWord(charAt(text, right));
}

function isWord(character: string): boolean {
  return character !== '' && WORD.test(character) && !UNSPACED.test(character);
}

/** The whole character at a position, either half of a surrogate pair included. */
function charAt(text: string, at: number): string {
  const unit = text.charCodeAt(at);
  if (unit >= 0xdc00 && unit <= 0xdfff) return text.slice(Math.max(0, at - 1), at + 1);
  return unit >= 0xd800 && unit <= 0xdbff ? text.slice(at, at + 2) : text.charAt(at);
}
