/**
 * Reasoning fields: what a body says now, what the caller meant, what the target should be told.
 *
 * The three are kept apart so that the first rewrite and a retry are the same function. What the body says less what our note claims is the
 * caller's view; the edit of the target on top of it is what should stand there; the difference is the splices.
 */
import type { ReasoningEdit } from '../decision/decision.ts';
import { bufferOver } from '../openai/json/text.ts';
import type { ChatRequest, Member, Span } from '../openai/request.ts';
import { EMPTY_NOTE, type RewriteNote } from './note.ts';
import { editContainer, memberJson, type Splice } from './splices.ts';

const EFFORT = 'reasoning_effort';
const KWARGS = 'chat_template_kwargs';
/** What "off" is to an effort family: none of them can be switched off altogether. */
const OFF_EFFORT = 'low';
/** Previous values up to this many bytes are remembered; a longer one is none that any model reads. */
const MAX_REMEMBERED_BYTES = 256;
/** More than anything that we write; a value may be as long as the body, and each target's is looked at. */
const MAX_COMPARED_BYTES = 4096;

export interface ReasoningChange {
  /** Splices inside values of top-level members. */
  readonly splices: readonly Splice[];
  /** Indexes of top-level members to take out, and members to put in. */
  readonly removed: ReadonlySet<number>;
  readonly added: readonly string[];
  /** Whether the endpoint is told to reason. False when the model has no family. */
  readonly told: boolean;
  readonly note: RewriteNote;
}

const UNCHANGED: ReasoningChange = { splices: [], removed: new Set(), added: [], told: false, note: EMPTY_NOTE };

interface Context {
  readonly buffer: Buffer;
  readonly request: ChatRequest;
  readonly before: RewriteNote;
  readonly splices: Splice[];
  readonly removed: Set<number>;
  readonly added: string[];
}

/** The change that makes `edit` of a body whose reasoning fields carry what `before` says that we wrote. */
export function planReasoning(
  body: Uint8Array,
  request: ChatRequest,
  edit: ReasoningEdit,
  callerWins: boolean,
  before: RewriteNote,
): ReasoningChange {
  if (edit.kind === 'none' && before.effort === null && before.kwargs === null) return UNCHANGED;
  const context: Context = {
    buffer: bufferOver(body),
    request,
    before,
    splices: [],
    removed: new Set(),
    added: [],
  };
  const effort = changeEffort(context, edit.kind === 'reasoning_effort' ? edit : null, callerWins);
  const kwargs = changeKwargs(context, edit.kind === 'chat_template_kwargs' ? edit : null, callerWins);
  const { splices, removed, added } = context;
  return {
    splices,
    removed,
    added,
    told: effort.told || kwargs.told,
    note: { effort: effort.note, kwargs: kwargs.note },
  };
}

function changeEffort(
  context: Context,
  edit: Extract<ReasoningEdit, { kind: 'reasoning_effort' }> | null,
  callerWins: boolean,
): { told: boolean; note: RewriteNote['effort'] } {
  const { buffer, request, before, splices, removed, added } = context;
  const indexes = indexesOf(request.members, EFFORT);
  const last = indexes.at(-1);
  const current = last === undefined ? null : jsonAt(buffer, memberAt(request, last).valueSpan);
  const callers = before.effort === null ? current : before.effort.previous;
  const callersEffort = before.effort === null ? request.callerReasoning.effort : stringOf(callers ?? '');

  let wanted = callers;
  let told = false;
  if (edit !== null) {
    if (callersEffort !== null && callerWins) {
      told = tellsToReason(callersEffort, edit.enabled);
    } else {
      wanted = JSON.stringify(edit.enabled ? edit.effort : OFF_EFFORT);
      told = edit.enabled;
    }
  }
  if (wanted === null) for (const index of indexes) removed.add(index);
  else if (last === undefined) added.push(memberJson(EFFORT, wanted));
  else if (wanted !== current) {
    // As with `model`, every duplicate says the same.
    for (const index of indexes) splices.push({ ...memberAt(request, index).valueSpan, text: wanted });
  }
  return { told, note: wanted === callers ? null : { previous: remembered(callers) } };
}

/**
 * Whether a caller's own effort tells the model to reason. `low` and `minimal` are what "on" may say as well as "off": there the decision's
 * word stands.
 */
function tellsToReason(effort: string, decided: boolean): boolean {
  if (effort === 'none') return false;
  return effort === 'low' || effort === 'minimal' ? decided : true;
}

function changeKwargs(
  context: Context,
  edit: Extract<ReasoningEdit, { kind: 'chat_template_kwargs' }> | null,
  callerWins: boolean,
): { told: boolean; note: RewriteNote['kwargs'] } {
  const { request, before } = context;
  // The last of duplicate keys is the one that the endpoints' parsers keep.
  const index = indexesOf(request.members, KWARGS).at(-1) ?? null;
  const isCallersObject = request.callerReasoning.templateKwargsSpan !== null && before.kwargs?.owner !== 'ours';
  return isCallersObject && index !== null
    ? mergeIntoKwargs(context, request.callerReasoning.templateKwargsSpan, edit, callerWins)
    : replaceKwargs(context, index, edit);
}

/** `chat_template_kwargs` is absent, no object, or all ours: its whole value is set, put back, or taken out. */
function replaceKwargs(
  context: Context,
  index: number | null,
  edit: Extract<ReasoningEdit, { kind: 'chat_template_kwargs' }> | null,
): { told: boolean; note: RewriteNote['kwargs'] } {
  const { buffer, request, before, splices, removed, added } = context;
  const span = index === null ? null : memberAt(request, index).valueSpan;
  const current = span === null ? null : jsonAt(buffer, span);
  const callers = before.kwargs?.owner === 'ours' ? before.kwargs.previous : current;
  const wanted = edit === null ? callers : `{${memberJson(edit.parameter, String(edit.enabled))}}`;
  if (span === null) {
    if (wanted !== null) added.push(memberJson(KWARGS, wanted));
  } else if (wanted === null) {
    if (index !== null) removed.add(index);
  } else if (wanted !== current) {
    splices.push({ ...span, text: wanted });
  }
  return {
    told: edit?.enabled ?? false,
    note: edit === null ? null : { parameter: edit.parameter, owner: 'ours', previous: remembered(callers) },
  };
}

/** The caller's object stays: a parameter of ours from before is undone, the new one merged in. */
function mergeIntoKwargs(
  context: Context,
  container: Span,
  edit: Extract<ReasoningEdit, { kind: 'chat_template_kwargs' }> | null,
  callerWins: boolean,
): { told: boolean; note: RewriteNote['kwargs'] } {
  const { buffer, request, before, splices } = context;
  const members = request.callerReasoning.templateKwargs ?? [];
  const removed = new Set<number>();
  const added: string[] = [];
  const set = (key: string, wanted: string | null): void => {
    const indexes = indexesOf(members, key);
    if (wanted === null) for (const index of indexes) removed.add(index);
    else if (indexes.length === 0) added.push(memberJson(key, wanted));
    else for (const index of indexes) splices.push({ ...(members[index] as Member).valueSpan, text: wanted });
  };

  const ours = before.kwargs;
  if (ours !== null && ours.parameter !== edit?.parameter) set(ours.parameter, ours.previous);
  let told = false;
  let note: RewriteNote['kwargs'] = null;
  if (edit !== null) {
    const last = members.findLast((member) => member.key === edit.parameter);
    const current = last === undefined ? null : jsonAt(buffer, last.valueSpan);
    const callers = ours?.parameter === edit.parameter ? ours.previous : current;
    const isCallersChoice = callers !== null && callers !== 'null' && callerWins;
    const wanted = isCallersChoice ? callers : String(edit.enabled);
    told = isCallersChoice ? isTruthy(callers) : edit.enabled;
    if (wanted !== current) set(edit.parameter, wanted);
    if (wanted !== callers) note = { parameter: edit.parameter, owner: 'caller', previous: remembered(callers) };
  }
  const items = members.map(({ keySpan, valueSpan }) => ({ start: keySpan.start, end: valueSpan.end }));
  splices.push(...editContainer({ container, items, removed: (index) => removed.has(index), added }));
  return { told, note };
}

function indexesOf(members: readonly Member[], key: string): number[] {
  return members.flatMap((member, index) => (member.key === key ? [index] : []));
}

function memberAt(request: ChatRequest, index: number): Member {
  return request.members[index] as Member;
}

/** The JSON of a value, or the beginning of a long one: it is compared with what we would write, which is short. */
function jsonAt(buffer: Buffer, span: Span): string {
  return buffer.toString('utf8', span.start, Math.min(span.end, span.start + MAX_COMPARED_BYTES));
}

/** The text of a JSON string; null for any other JSON. */
function stringOf(json: string): string | null {
  return json.startsWith('"') ? (JSON.parse(json) as string) : null;
}

/** As chat templates see it: false, 0 and empty values are false. */
function isTruthy(json: string): boolean {
  return !['false', '0', '""', '[]', '{}', 'null'].includes(json);
}

function remembered(json: string | null): string | null {
  return json !== null && Buffer.byteLength(json) > MAX_REMEMBERED_BYTES ? null : json;
}
