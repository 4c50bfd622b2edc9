/** Does a text hold source code? A sum of marks that prose lacks; one of them alone is not enough, a code fence is. */

/** Characters that are looked at, from the beginning. */
const MAX_CHARS = 8000;
const ENOUGH = 3;

/** Quantifiers are bounded and never cross a line: the patterns take time linear in the text, whatever it holds. */
const FENCE = /^ {0,3}(?:```|~~~)/m;
const MARKS: readonly (readonly [weight: number, pattern: RegExp])[] = [
  [3, /^(?:#!\/|#include ?[<"]|diff --git |@@ -\d)/m],
  [3, /^[ \t]{0,40}(?:def|class) \w{1,80}(?:\([^)\n]{0,200}\))?(?: ?-> ?[^:\n]{1,80})?:[ \t]*$/m],
  [3, /^[ \t]{0,40}(?:export )?(?:async )?(?:function|fn|func)\b[ *]{0,3}\w{0,80}[(<]/m],
  [2, /=> ?[{(]/],
  [
    2,
    /^(?:from [\w.]{1,80} import |import [\w.]{1,80}(?: as \w{1,40})?;?$|import [^\n]{1,200} from ['"]|using [\w.]{1,80};|package [\w.]{1,80};)/m,
  ],
  [2, /\b(?:public|private|protected) (?:static )?[\w<>[\]]{1,80} \w{1,80} ?[({;=]/],
  [2, /\bSELECT\b[^;]{1,200}\bFROM \w|\bINSERT INTO\b|\bCREATE TABLE\b|\bUPDATE \w{1,80} SET\b/],
  [2, /\b(?:const|let|var) \w{1,80}(?:: ?\w{1,80})? ?=|\b\w{1,80} := /],
  [2, /^[ \t]{0,40}(?:at [\w.$<>]{1,120} ?\([^)\n]{1,200}:\d|File "[^"\n]{1,200}", line \d)/m],
  [2, /<\/(?:div|span|html|body|script|p|a|table|head|style)>/i],
  [1, /[;{][ \t]{0,40}$/m],
  [1, /^[ \t]{0,40}\};?$/m],
  [1, /\b\w{1,80}\([^)\n]{0,120}\) ?[;{]/],
  [1, /==|!=|&&|\|\||\+=|::|->/],
  [1, /^[ \t]{0,40}(?:if|for|while|switch) ?\(/m],
  [1, /^[ \t]{0,40}(?:return\b|elif\b|else:|try:|except\b|print\()/m],
];

/** True for a code fence, or for enough marks of source code. */
export function looksLikeCode(text: string): boolean {
  const head = text.slice(0, MAX_CHARS);
  if (FENCE.test(head)) return true;
  let score = 0;
  for (const [weight, pattern] of MARKS) {
    if (pattern.test(head)) score += weight;
    if (score >= ENOUGH) return true;
  }
  return false;
}
