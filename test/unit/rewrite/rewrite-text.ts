import { parseRequest } from '../../../src/openai/parse.ts';
import { rewriteBody, type BodyEdit, type RewrittenBody } from '../../../src/rewrite/body.ts';

/** Rewrites a body given as text; fails where it can't be parsed. The model is "M" unless the edit says otherwise. */
export function rewriteText(
  text: string,
  edit: Partial<BodyEdit>,
  path = '/v1/chat/completions',
): { readonly text: string; readonly result: RewrittenBody } {
  const body = Buffer.from(text);
  const outcome = parseRequest(body, { path, maxDepth: 100 });
  if (outcome.kind === 'invalid') throw new Error(outcome.error.message);
  const result = rewriteBody(body, outcome.request, {
    model: 'M',
    reasoning: { kind: 'none' },
    systemPrompt: null,
    callerReasoningWins: true,
    strip: [],
    ...edit,
  });
  return { text: Buffer.from(result.body).toString(), result };
}
