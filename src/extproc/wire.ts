/**
 * Protobuf shapes, as proto-loader makes and takes them, to events and back. Everything that depends on how Envoy reads an answer is here:
 *
 * - header values travel as `raw_value` only: Envoy takes a value in `value` as an empty header;
 * - a body mutation always comes with the content-length of the new body: a wrong one is a 500 from Envoy;
 * - `clear_route_cache` needs a header mutation beside it, or Envoy ignores it, so a header mutation without entries is never sent with it;
 * - google.protobuf.Struct is camelCase even where the loader keeps the case of everything else.
 */
import type { HeaderEdit, Mutations } from '../rewrite/mutations.ts';
import type {
  Attributes,
  BodyMode,
  Change,
  DynamicMetadata,
  Headers,
  MessageEvent,
  MetadataValue,
  Phase,
  ReplyOutcome,
  SkipRequest,
} from './machine-events.ts';

export interface WireStruct {
  readonly fields?: Readonly<Record<string, WireValue>>;
}
export interface WireValue {
  readonly kind?: string;
  readonly nullValue?: unknown;
  readonly numberValue?: number;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly structValue?: WireStruct;
  readonly listValue?: { readonly values?: readonly WireValue[] };
}
interface WireHeader {
  readonly key?: string;
  readonly value?: string;
  readonly raw_value?: Uint8Array;
}
interface WireHeaderMap {
  readonly headers?: readonly WireHeader[];
}
interface WireHttpHeaders {
  readonly headers?: WireHeaderMap;
  readonly end_of_stream?: boolean;
}
interface WireHttpBody {
  readonly body?: Uint8Array;
  readonly end_of_stream?: boolean;
}
/** A ProcessingRequest; `request` names the member of the oneof that is set. */
export interface WireRequest {
  readonly request?: string;
  readonly request_headers?: WireHttpHeaders;
  readonly response_headers?: WireHttpHeaders;
  readonly request_body?: WireHttpBody;
  readonly response_body?: WireHttpBody;
  readonly request_trailers?: { readonly trailers?: WireHeaderMap };
  readonly response_trailers?: { readonly trailers?: WireHeaderMap };
  readonly metadata_context?: { readonly filter_metadata?: Readonly<Record<string, WireStruct>> };
  readonly attributes?: Readonly<Record<string, WireStruct>>;
  readonly observability_mode?: boolean;
  readonly protocol_config?: { readonly request_body_mode?: string | number };
}

interface WireHeaderOption {
  readonly header: { readonly key: string; readonly raw_value: Uint8Array };
  readonly append_action: 'OVERWRITE_IF_EXISTS_OR_ADD';
}
interface WireHeaderMutation {
  readonly set_headers?: readonly WireHeaderOption[];
  readonly remove_headers?: readonly string[];
}
interface WireCommon {
  readonly header_mutation?: WireHeaderMutation;
  readonly body_mutation?: { readonly body: Uint8Array } | { readonly clear_body: true };
  readonly clear_route_cache?: true;
}
/** A ProcessingResponse: one member of the oneof, and what may travel beside it. */
export interface WireResponse {
  readonly request_headers?: { readonly response: WireCommon };
  readonly response_headers?: { readonly response: WireCommon };
  readonly request_body?: { readonly response: WireCommon };
  readonly response_body?: { readonly response: WireCommon };
  readonly request_trailers?: { readonly header_mutation?: WireHeaderMutation };
  readonly response_trailers?: { readonly header_mutation?: WireHeaderMutation };
  readonly immediate_response?: {
    readonly status: { readonly code: number };
    readonly headers: WireHeaderMutation;
    readonly body: Uint8Array;
    readonly details: string;
  };
  readonly dynamic_metadata?: WireStruct;
  readonly mode_override?: Readonly<Record<string, string>>;
}

const NO_BYTES = new Uint8Array(0);

/** The event that a message makes. Total: whatever a decoder can produce comes out as some event. */
export function readMessage(message: WireRequest): MessageEvent {
  switch (message.request) {
    case 'request_headers':
      return {
        kind: 'request_headers',
        ...readStart(message, message.request_headers),
        endOfStream: message.request_headers?.end_of_stream === true,
        bodyMode: readBodyMode(message),
      };
    case 'response_headers':
      return {
        kind: 'response_headers',
        ...readStart(message, message.response_headers),
        endOfStream: message.response_headers?.end_of_stream === true,
      };
    case 'request_body':
      return { kind: 'request_body', ...readBody(message.request_body) };
    case 'response_body':
      return { kind: 'response_body', ...readBody(message.response_body) };
    case 'request_trailers':
      return { kind: 'request_trailers' };
    case 'response_trailers':
      return { kind: 'response_trailers' };
    case undefined:
    default:
      return { kind: 'unknown_message' };
  }
}

function readStart(
  message: WireRequest,
  part: WireHttpHeaders | undefined,
): { headers: Headers; attributes: Attributes; metadata: DynamicMetadata } {
  return {
    headers: readHeaders(part?.headers),
    attributes: readAttributes(message.attributes),
    metadata: readMetadata(message.metadata_context?.filter_metadata),
  };
}

function readBody(part: WireHttpBody | undefined): { body: Uint8Array; endOfStream: boolean } {
  return { body: part?.body ?? NO_BYTES, endOfStream: part?.end_of_stream === true };
}

/** proto3 leaves a zero out: a protocol_config without a body mode says NONE, no protocol_config at all says nothing. */
function readBodyMode({ protocol_config }: WireRequest): BodyMode {
  if (protocol_config === undefined) return 'chunks';
  switch (protocol_config.request_body_mode) {
    case undefined:
    case 'NONE':
      return 'none';
    case 'BUFFERED':
      return 'whole';
    case 'STREAMED':
      return 'chunks';
    default:
      return 'unsupported';
  }
}

function readHeaders(map: WireHeaderMap | undefined): Headers {
  const headers = new Map<string, string>();
  for (const { key, value, raw_value } of map?.headers ?? []) {
    if (key === undefined || key === '') continue;
    const name = key.toLowerCase();
    const text = raw_value !== undefined && raw_value.byteLength > 0 ? textOf(raw_value) : (value ?? '');
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? text : `${earlier}, ${text}`);
  }
  return headers;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** All Structs flattened into one map: a filter has one entry, named after itself, and the attribute names are unique anyway. */
function readAttributes(structs: Readonly<Record<string, WireStruct>> | undefined): Attributes {
  const attributes = new Map<string, string>();
  for (const struct of Object.values(structs ?? {})) {
    for (const [name, value] of Object.entries(struct.fields ?? {})) {
      const plain = readValue(value, 0);
      if (plain !== null) attributes.set(name, typeof plain === 'object' ? JSON.stringify(plain) : String(plain));
    }
  }
  return attributes;
}

function readMetadata(namespaces: Readonly<Record<string, WireStruct>> | undefined): DynamicMetadata {
  const metadata = new Map<string, { readonly [key: string]: MetadataValue }>();
  for (const [namespace, struct] of Object.entries(namespaces ?? {})) metadata.set(namespace, readStruct(struct, 0));
  return metadata;
}

/** Deeper values read as null: nobody configures such metadata, and recursion stays bounded. */
const MAX_VALUE_DEPTH = 32;

function readStruct(struct: WireStruct, depth: number): Readonly<Record<string, MetadataValue>> {
  // fromEntries defines own properties, so a key like __proto__ stays a key.
  return Object.fromEntries(
    Object.entries(struct.fields ?? {}).map(([key, value]) => [key, readValue(value, depth + 1)]),
  );
}

function readValue(value: WireValue, depth: number): MetadataValue {
  if (depth > MAX_VALUE_DEPTH) return null;
  if (value.structValue !== undefined) return readStruct(value.structValue, depth);
  if (value.listValue !== undefined) return (value.listValue.values ?? []).map((item) => readValue(item, depth + 1));
  return value.stringValue ?? value.numberValue ?? value.boolValue ?? null;
}

/** The answer to one message. */
export function writeAnswer(phase: Phase, change: Change, skip: SkipRequest): WireResponse {
  const override = skip === 'nothing' ? {} : { mode_override: MODE_OVERRIDES[skip] };
  if (change.kind === 'mutate' && phase !== 'request_trailers' && phase !== 'response_trailers') {
    const metadata = writeMetadata(change.mutations.metadata);
    const common = writeMutations(change.mutations);
    return {
      ...writePhase(phase, common),
      ...override,
      ...(metadata === null ? {} : { dynamic_metadata: metadata }),
    };
  }
  return {
    ...writePhase(phase, change.kind === 'clear_body' ? { body_mutation: { clear_body: true } } : {}),
    ...override,
  };
}

/** The answer to response headers: these headers set, nothing else touched. */
export function writeResponseHeaders(edits: readonly HeaderEdit[]): WireResponse {
  return writePhase('response_headers', edits.length === 0 ? {} : { header_mutation: writeHeaders(edits, []) });
}

/** The answer that Envoy sends to the client in place of the endpoint's. `details` is for Envoy's access log. */
export function writeReply(reply: ReplyOutcome): WireResponse {
  return {
    immediate_response: {
      status: { code: reply.status },
      headers: writeHeaders(reply.headers, []),
      body: Buffer.from(reply.body, 'utf8'),
      details: 'switchyard_reply',
    },
  };
}

const MODE_OVERRIDES = {
  bodies: { response_header_mode: 'SEND', request_body_mode: 'NONE', response_body_mode: 'NONE' },
  bodies_and_response: { response_header_mode: 'SKIP', request_body_mode: 'NONE', response_body_mode: 'NONE' },
} as const;

function writePhase(phase: Phase, common: WireCommon): WireResponse {
  switch (phase) {
    case 'request_headers':
      return { request_headers: { response: common } };
    case 'request_body':
      return { request_body: { response: common } };
    case 'response_headers':
      return { response_headers: { response: common } };
    case 'response_body':
      return { response_body: { response: common } };
    case 'request_trailers':
      return { request_trailers: {} };
    case 'response_trailers':
      return { response_trailers: {} };
  }
}

function writeMutations({ body, setHeaders, removeHeaders }: Mutations): WireCommon {
  const isLength = (name: string): boolean => name.toLowerCase() === 'content-length';
  const set =
    body === null
      ? setHeaders
      : [
          ...setHeaders.filter(({ name }) => !isLength(name)),
          { name: 'content-length', value: String(body.byteLength) },
        ];
  const remove = body === null ? removeHeaders : removeHeaders.filter((name) => !isLength(name));
  return {
    ...(set.length + remove.length === 0
      ? {}
      : { header_mutation: writeHeaders(set, remove), clear_route_cache: true }),
    ...(body === null ? {} : { body_mutation: body.byteLength === 0 ? { clear_body: true } : { body } }),
  };
}

function writeHeaders(edits: readonly HeaderEdit[], remove: readonly string[]): WireHeaderMutation {
  return {
    set_headers: edits.map(({ name, value }) => ({
      header: { key: name.toLowerCase(), raw_value: Buffer.from(headerSafe(value), 'utf8') },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    })),
    remove_headers: remove.map((name) => name.toLowerCase()),
  };
}

/** Envoy rejects a whole answer for one control character; a space is the worst that a name from a config file may become. */
function headerSafe(value: string): string {
  return value.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, ' ');
}

function writeMetadata(metadata: Mutations['metadata']): WireStruct | null {
  const namespaces = Object.entries(metadata);
  if (namespaces.length === 0) return null;
  return {
    fields: Object.fromEntries(
      namespaces.map(([namespace, values]) => [
        namespace,
        {
          structValue: {
            fields: Object.fromEntries(Object.entries(values).map(([key, text]) => [key, { stringValue: text }])),
          },
        },
      ]),
    ),
  };
}
