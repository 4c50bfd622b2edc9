import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseRequest } from '../../src/openai/parse.ts';
import type { ChatRequest } from '../../src/openai/request.ts';
import { rewriteBody, type BodyEdit, type RewrittenBody } from '../../src/rewrite/body.ts';
import { decodeRewriteNote, encodeRewriteNote } from '../../src/rewrite/note.ts';
import { bodyOf, chatMembers, expectedBody, memberText, reasoningEdit } from './rewrite-arbitraries.ts';

const RUNS = { numRuns: 2000 };

function parsed(body: Uint8Array): ChatRequest {
  const outcome = parseRequest(body, { path: '/v1/chat/completions', maxDepth: 100 });
  if (outcome.kind === 'invalid') throw new Error(outcome.error.message);
  return outcome.request;
}

function rewrite(text: string, edit: Partial<BodyEdit>): RewrittenBody & { readonly text: string } {
  const body = Buffer.from(text);
  const done = rewriteBody(body, parsed(body), {
    model: 'chosen/model',
    reasoning: { kind: 'none' },
    systemPrompt: null,
    callerReasoningWins: true,
    strip: [],
    ...edit,
  });
  return { ...done, text: Buffer.from(done.body).toString() };
}

test('only the bytes of the model values change when nothing else is edited', () => {
  fc.assert(
    fc.property(chatMembers, (members) => {
      const expected = members.map((member) =>
        member.key === 'model' ? { ...member, valueText: '"chosen/model"' } : member,
      );
      expect(rewrite(bodyOf(members), {}).text).toBe(bodyOf(expected));
    }),
    RUNS,
  );
});

test('a rewritten body parses to what was planned, unknown fields equal', () => {
  fc.assert(
    fc.property(
      chatMembers,
      reasoningEdit,
      fc.boolean(),
      fc.subarray(['routing', 'vendor', 'seed', 'user']),
      (members, reasoning, callerReasoningWins, strip) => {
        const edit = { model: 'chosen/model', reasoning, callerReasoningWins, strip };
        const { text } = rewrite(bodyOf(members), edit);
        expect(JSON.parse(text)).toEqual(expectedBody(bodyOf(members), edit));
      },
    ),
    RUNS,
  );
});

test('members that no edit concerns keep their bytes and their order', () => {
  fc.assert(
    fc.property(chatMembers, reasoningEdit, fc.boolean(), (members, reasoning, callerReasoningWins) => {
      const { text } = rewrite(bodyOf(members), {
        reasoning,
        callerReasoningWins,
        strip: ['routing'],
        systemPrompt: { text: 'P', mode: 'insert', source: 'test' },
      });
      let at = 0;
      for (const member of members) {
        if (!['seed', 'vendor', 'user'].includes(member.key)) continue;
        const found = text.indexOf(memberText(member).trim(), at);
        expect(found).toBeGreaterThanOrEqual(at);
        at = found + 1;
      }
    }),
    RUNS,
  );
});

test('a retry leads to the body that a first rewrite for its target would have led to', () => {
  fc.assert(
    fc.property(chatMembers, reasoningEdit, reasoningEdit, fc.boolean(), (members, one, other, callerReasoningWins) => {
      const original = bodyOf(members);
      const first = rewrite(original, { reasoning: one, callerReasoningWins });
      const before = decodeRewriteNote(encodeRewriteNote(first.note));
      const retried = rewrite(first.text, { model: 'other', reasoning: other, callerReasoningWins, before });
      const direct = rewrite(original, { model: 'other', reasoning: other, callerReasoningWins });
      expect(JSON.parse(retried.text)).toEqual(JSON.parse(direct.text));
      expect(retried.reasoningTold).toBe(direct.reasoningTold);
    }),
    RUNS,
  );
});

test('the same rewrite twice changes nothing more', () => {
  fc.assert(
    fc.property(chatMembers, reasoningEdit, (members, reasoning) => {
      const first = rewrite(bodyOf(members), { reasoning });
      expect(rewrite(first.text, { reasoning, before: first.note }).text).toBe(first.text);
    }),
    RUNS,
  );
});

test('a system prompt lands in the first message alone, and the text that stays keeps its bytes', () => {
  fc.assert(
    fc.property(chatMembers, fc.constantFrom('replace' as const, 'insert' as const), (members, mode) => {
      const original = JSON.parse(bodyOf(members)) as { messages: Record<string, unknown>[] };
      const { text, injectedSystemPrompt } = rewrite(bodyOf(members), {
        systemPrompt: { text: 'Be "brief".\n', mode, source: 'test' },
      });
      const edited = JSON.parse(text) as { messages: Record<string, unknown>[] };
      expect(injectedSystemPrompt).toBe(true);
      const [first, ...rest] = original.messages;
      if (first!['role'] !== 'system' && first!['role'] !== 'developer') {
        expect(edited.messages).toEqual([{ role: 'system', content: 'Be "brief".\n' }, ...original.messages]);
        return;
      }
      expect(edited.messages.slice(1)).toEqual(rest);
      expect(edited.messages[0]).toEqual({ ...first, content: expectedContent(first!['content'], mode) });
    }),
    RUNS,
  );
});

type Part = Record<string, unknown>;

function expectedContent(content: unknown, mode: 'replace' | 'insert'): unknown {
  const prompt = 'Be "brief".\n';
  const combine = (old: string): string => (mode === 'insert' ? `${prompt}\n\n${old}` : prompt);
  if (!Array.isArray(content)) return combine((content ?? '') as string);
  const parts = content as Part[];
  const first = parts.find((part) => part['type'] === 'text');
  if (first === undefined) return [{ type: 'text', text: prompt }, ...parts];
  return parts
    .filter((part) => mode === 'insert' || part === first || part['type'] !== 'text')
    .map((part) => (part === first ? { ...part, text: combine(part['text'] as string) } : part));
}
