/** What Envoy sends, as events. */
import type { Attributes, BodyMode, DynamicMetadata, Headers, MessageEvent, MetadataValue } from './machine-events.ts';
import type { WireHeaderMap, WireHttpBody, WireHttpHeaders, WireRequest, WireStruct, WireValue } from './wire-types.ts';

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
