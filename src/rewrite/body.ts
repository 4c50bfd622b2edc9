/** The body that one target gets: model, reasoning fields and system message changed, every other byte as it came. */
import type { ReasoningEdit, SystemPromptChoice } from '../decision/decision.ts';
import { atOnce, type Steps } from '../openai/pace.ts';
import type { ChatRequest } from '../openai/request.ts';
import { EMPTY_NOTE, type RewriteNote } from './note.ts';
import { planReasoning } from './reasoning.ts';
import { editContainer, spliceSteps, type Splice } from './splices.ts';
import { systemPromptSplices } from './system-prompt.ts';

export interface BodyEdit {
  /** The name that the endpoint knows the model by. */
  readonly model: string;
  readonly reasoning: ReasoningEdit;
  /** Null: leave the system message alone. A retry passes null: the first rewrite has put it in. */
  readonly systemPrompt: SystemPromptChoice | null;
  /** Whether the caller's own reasoning fields stand against ours. */
  readonly callerReasoningWins: boolean;
  /** Top-level members to take out, like the routing knobs that are for us alone; those that the rewrite itself edits are not taken. */
  readonly strip: readonly string[];
  /** On a retry: the note of the rewrite that made this body. Absent on the first rewrite. */
  readonly before?: RewriteNote;
}

export interface RewrittenBody {
  /** The given body itself where nothing changed. */
  readonly body: Uint8Array;
  readonly injectedSystemPrompt: boolean;
  /** Whether the endpoint is told to reason, the caller's own fields included; false for a model without a reasoning family. */
  readonly reasoningTold: boolean;
  /** What a retry needs to take our reasoning fields out again. */
  readonly note: RewriteNote;
}

const EDITED: ReadonlySet<string> = new Set(['model', 'messages', 'reasoning_effort', 'chat_template_kwargs']);

/** `rewriteSteps` at one go. */
export function rewriteBody(body: Uint8Array, request: ChatRequest, edit: BodyEdit): RewrittenBody {
  return atOnce(rewriteSteps(body, request, edit));
}

/**
 * Rewrites `body`, of which `request` was parsed. Costs one copy of the body, in steps. `request.problem` should be null unless only the model and
 * the reasoning fields are edited: spans of messages that could not be read are missing.
 */
export function* rewriteSteps(body: Uint8Array, request: ChatRequest, edit: BodyEdit): Steps<RewrittenBody> {
  if (request.isMultipart === true) {
    const splices = request.modelSpans.map((span) => ({ ...span, text: edit.model }));
    return {
      body: yield* spliceSteps(body, splices),
      injectedSystemPrompt: false,
      reasoningTold: false,
      note: EMPTY_NOTE,
    };
  }
  const prompt = edit.systemPrompt === null || edit.systemPrompt.text === '' ? null : edit.systemPrompt;
  const promptSplices = prompt === null ? [] : systemPromptSplices(request, prompt);
  const reasoning = planReasoning(body, request, edit.reasoning, edit.callerReasoningWins, edit.before ?? EMPTY_NOTE);
  const strip = new Set(edit.strip.filter((key) => !EDITED.has(key)));
  const splices = [
    ...modelSplices(request, edit.model),
    ...promptSplices,
    ...reasoning.splices,
    ...editContainer({
      container: request.rootSpan,
      items: request.members.map(({ keySpan, valueSpan }) => ({ start: keySpan.start, end: valueSpan.end })),
      removed: (index) => reasoning.removed.has(index) || strip.has(request.members[index]?.key ?? ''),
      added: reasoning.added,
    }),
  ];
  return {
    body: yield* spliceSteps(body, splices),
    injectedSystemPrompt: promptSplices.length > 0,
    reasoningTold: reasoning.told,
    note: reasoning.note,
  };
}

/** All duplicates of `model` are rewritten: parsers differ in which one they keep, and none may see the alias. */
function modelSplices(request: ChatRequest, model: string): Splice[] {
  const text = JSON.stringify(model);
  return request.modelSpans.map((span) => ({ ...span, text }));
}
