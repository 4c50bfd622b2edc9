/** Chat bodies as text, together with what a rewrite should make of them, written down by other means than the rewrite itself. */
import fc from 'fast-check';
import type { ReasoningEdit } from '../../src/decision/decision.ts';
import { jsonValue } from './openai-json-arbitraries.ts';

/** One member of the body as it is written. */
export interface WrittenMember {
  readonly key: string;
  /** The key's literal, which may hold escapes. */
  readonly keyText: string;
  readonly valueText: string;
  /** White space: before the key, before and after the colon, after the value. */
  readonly space: readonly [string, string, string, string];
}

const space = fc.constantFrom('', '', ' ', '\n  ', '\t');
const spaces = fc.tuple(space, space, space, space);

function member(key: string, values: fc.Arbitrary<string>): fc.Arbitrary<WrittenMember> {
  const escaped = `"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}"`;
  return fc
    .record({
      keyText: fc.constantFrom(JSON.stringify(key), JSON.stringify(key), escaped),
      valueText: values,
      space: spaces,
    })
    .map((written) => ({ key, ...written }));
}

const text = fc.constantFrom('""', '"old"', '"caf\\u00e9 \\ud83d\\ude00"', '"a\\n\\"b\\""', '"é"');
const part = fc.oneof(
  text.map((value) => `{"type":"text", "text":${value}}`),
  fc.constantFrom(
    '{"type":"image_url","image_url":{"url":"data:x"}}',
    '{ "seed":12345678901234567890,"type":"vendor" }',
  ),
);
const content = fc.oneof(
  text,
  fc.constant('null'),
  fc.array(part, { maxLength: 4 }).map((parts) => `[ ${parts.join(' , ')} ]`),
);
const message = fc
  .tuple(fc.constantFrom('system', 'developer', 'user', 'assistant'), fc.option(content, { nil: null }), fc.nat(2))
  .map(([role, value, order]) => {
    const members = [`"role":"${role}"`, '"name" : "n"', ...(value === null ? [] : [`"content": ${value}`])];
    return `{${[...members.slice(order), ...members.slice(0, order)].join(', ')}}`;
  });
const messages = fc.array(message, { minLength: 1, maxLength: 3 }).map((all) => `[${all.join(',\n')}]`);

const kwargs = fc.oneof(
  fc.constant('null'),
  fc
    .array(
      fc.tuple(
        fc.constantFrom('"enable_thinking"', '"thinking"', '"think\\u0069ng"', '"other"'),
        fc.constantFrom('true', 'false', 'null', '1.0', '{"x":[ ]}'),
      ),
      { maxLength: 4 },
    )
    .map((items) => `{ ${items.map((item) => item.join(' : ')).join(' , ')} }`),
);
const effort = fc.constantFrom('null', '"none"', '"low"', '"medium"', '"hi\\u0067h"');

const extra = fc.oneof(
  member('seed', fc.constantFrom('12345678901234567890', '1.0')),
  member('vendor', jsonValue),
  member('user', text),
  member('routing', jsonValue),
);

/** The members of a chat body in any order, duplicates of every kind among them. Values of routed fields have the right types. */
export const chatMembers: fc.Arbitrary<WrittenMember[]> = fc
  .tuple(
    fc.array(
      member(
        'model',
        text.filter((value) => value !== '""'),
      ),
      { minLength: 1, maxLength: 2 },
    ),
    fc.array(member('messages', messages), { minLength: 1, maxLength: 2 }),
    fc.array(member('chat_template_kwargs', kwargs), { maxLength: 2 }),
    fc.array(member('reasoning_effort', effort), { maxLength: 2 }),
    fc.array(extra, { maxLength: 4 }),
  )
  .chain((groups) => {
    const all = groups.flat();
    return fc.shuffledSubarray(all, { minLength: all.length });
  });

export function bodyOf(members: readonly WrittenMember[]): string {
  return ` {${members.map(memberText).join(',')}}\n`;
}

export function memberText({ keyText, valueText, space: [a, b, c, d] }: WrittenMember): string {
  return `${a}${keyText}${b}:${c}${valueText}${d}`;
}

export const reasoningEdit: fc.Arbitrary<ReasoningEdit> = fc.oneof(
  fc.constant<ReasoningEdit>({ kind: 'none' }),
  fc.record({
    kind: fc.constant('chat_template_kwargs' as const),
    parameter: fc.constantFrom('enable_thinking', 'thinking'),
    enabled: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('reasoning_effort' as const),
    enabled: fc.boolean(),
    effort: fc.constantFrom('medium', 'high'),
  }),
);

type Json = Record<string, unknown>;

/** The parsed body that a rewrite should lead to, computed on values instead of bytes. */
export function expectedBody(
  before: string,
  edit: { model: string; reasoning: ReasoningEdit; callerReasoningWins: boolean; strip: readonly string[] },
): Json {
  const all = Object.entries(JSON.parse(before) as Json);
  const body: Json = Object.fromEntries(all.filter(([key]) => !edit.strip.includes(key)));
  body['model'] = edit.model;
  const { reasoning, callerReasoningWins: wins } = edit;
  if (reasoning.kind === 'reasoning_effort') {
    const callers = typeof body['reasoning_effort'] === 'string' && wins;
    if (!callers) body['reasoning_effort'] = reasoning.enabled ? reasoning.effort : 'low';
  }
  if (reasoning.kind === 'chat_template_kwargs') {
    const object = { ...(body['chat_template_kwargs'] as Json | null | undefined) };
    const callers = (object[reasoning.parameter] ?? null) !== null && wins;
    if (!callers) object[reasoning.parameter] = reasoning.enabled;
    body['chat_template_kwargs'] = object;
  }
  return body;
}
