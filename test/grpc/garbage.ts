/** Random bytes, frames, messages and orders for the fuzzer; all from one seeded generator, so that a failure can be run again. */
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/proto-loader';
import type { Message } from './client.ts';
import { attributes, requestBody, requestHeaders, responseHeaders } from './client.ts';

/** Uniform numbers in [0, 1); mulberry32. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Garbage {
  below(limit: number): number;
  pick<Value>(values: readonly Value[]): Value;
  bytes(length: number): Buffer;
  /** What a broken or hostile peer might send on a fresh TCP connection. */
  connection(): Buffer;
  /** A ProcessingRequest of any kind, legal in itself. */
  message(): Message;
  /** Bytes in place of one: noise, or a legal one that was damaged. */
  messageBytes(): Buffer;
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const definitions = loadSync('proto/ext_proc.proto', { keepCase: true, enums: String }) as Record<string, unknown>;
const { Process } = definitions['envoy.service.ext_proc.v3.ExternalProcessor'] as Record<
  string,
  MethodDefinition<Message, Message>
>;

export function garbageFrom(random: () => number): Garbage {
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <Value>(values: readonly Value[]): Value => values[below(values.length)]!;
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));

  function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  }

  /** HPACK without a table: literal names and values. */
  function headerBlock(headers: Record<string, string>): Buffer {
    const parts = Object.entries(headers).flatMap(([name, value]) => [
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]);
    return Buffer.concat(parts);
  }

  const call = (): Buffer =>
    headerBlock({
      ':method': pick(['POST', 'POST', 'POST', 'GET']),
      ':scheme': 'http',
      ':path': pick([Process!.path, Process!.path, '/grpc.health.v1.Health/Watch', '/nowhere', '']),
      ':authority': 'x',
      'content-type': pick(['application/grpc', 'application/grpc', 'text/plain']),
      te: 'trailers',
      'x-switchyard-role': pick(['route', 'retry', 'check', 'observe', 'sideways']),
      ...(random() < 0.2 ? { 'grpc-encoding': pick(['gzip', 'deflate', 'nonsense']) } : {}),
      ...(random() < 0.2 ? { 'grpc-timeout': pick(['1m', '0S', 'nonsense', '99999999H']) } : {}),
    });

  function grpcFrame(payload: Buffer): Buffer {
    const head = Buffer.alloc(5);
    head.writeUInt8(pick([0, 0, 0, 1, 7]), 0);
    head.writeUInt32BE(random() < 0.8 ? payload.length : pick([0, 1, 0x7fffffff, 0xffffffff]), 1);
    return Buffer.concat([head, payload]);
  }

  function connection(): Buffer {
    const shape = below(5);
    if (shape === 0) return bytes(below(2000));
    if (shape === 1) return Buffer.concat([PREFACE, bytes(below(2000))]);
    const parts = [PREFACE, frame(4, 0, 0, Buffer.alloc(0))];
    if (shape === 2) {
      for (let count = below(20); count >= 0; count--)
        parts.push(frame(below(12), below(256), below(8), bytes(below(64))));
      return Buffer.concat(parts);
    }
    for (let stream = 1; stream < 20; stream += 2) {
      parts.push(frame(1, 4, stream, call()));
      for (let count = below(4); count > 0; count--) {
        const payload = grpcFrame(shape === 3 ? bytes(below(200)) : messageBytes());
        parts.push(frame(0, random() < 0.2 ? 1 : 0, stream, payload.subarray(0, 16_000)));
      }
      if (random() < 0.3) parts.push(frame(3, 0, stream, Buffer.from([0, 0, 0, below(14)])));
      if (random() < 0.1) parts.push(frame(8, 0, stream, Buffer.from([below(256), 255, 255, 255])));
    }
    return Buffer.concat(parts);
  }

  function message(): Message {
    const extra: Message = {
      ...(random() < 0.5 ? { protocol_config: { request_body_mode: below(8) } } : {}),
      ...(random() < 0.2 ? { observability_mode: true } : {}),
      ...(random() < 0.3 ? attributes({ 'upstream.address': '10.0.0.1:80', __proto__: 'x', n: below(100) }) : {}),
      ...(random() < 0.1
        ? { metadata_context: { filter_metadata: { switchyard: { fields: { deep: nested(below(30)) } } } } }
        : {}),
    };
    const length = pick([{}, {}, { 'content-length': pick(['0', '5', '-1', '1e9', '99999999999', 'x']) }]);
    switch (below(8)) {
      case 0:
      case 1:
        return requestHeaders(
          { ...length, ':method': pick(['POST', 'GET', '']), 'x-switchyard-role': 'route' },
          extra,
          random() < 0.2,
        );
      case 2:
      case 3:
        return requestBody(bytes(pick([0, 1, 7, 500])), random() < 0.5);
      case 4:
        return { ...responseHeaders({}, extra) };
      case 5:
        return { response_body: { body: bytes(pick([0, 7, 100])), end_of_stream: random() < 0.3 }, ...extra };
      case 6:
        return pick<Message>([{ request_trailers: {} }, { response_trailers: {} }]);
      default:
        return random() < 0.2 ? requestBody(Buffer.alloc(below(1_200_000)), random() < 0.5) : {};
    }
  }

  function nested(levels: number): Message {
    return levels === 0 ? { stringValue: 'x' } : { structValue: { fields: { a: nested(levels - 1) } } };
  }

  /** A length-delimited field in itself, thousands of times: what breaks recursive decoders. */
  function deepBytes(): Buffer {
    let inner = Buffer.alloc(0);
    const tags = pick([[0x0a], [0x32, 0x0a], [0x2a, 0x0a, 0x12]]);
    for (let level = 0; level < 3000; level++)
      inner = Buffer.concat([Buffer.from([tags[level % tags.length]!]), varint(inner.length), inner]);
    return Buffer.concat([Buffer.from([0x4a]), varint(inner.length), inner]);
  }

  function messageBytes(): Buffer {
    const shape = below(20);
    if (shape === 0) return deepBytes();
    if (shape < 7) return bytes(below(300));
    const legal = Buffer.from(Process!.requestSerialize(message()));
    if (shape < 11) return legal.subarray(0, below(legal.length + 1));
    if (shape < 15) return Buffer.concat([legal, bytes(below(20)), legal]);
    const damaged = Buffer.from(legal);
    for (let count = below(8); count >= 0 && damaged.length > 0; count--)
      damaged[below(Math.min(damaged.length, 400))] = below(256);
    return damaged;
  }

  return { below, pick, bytes, connection, message, messageBytes };
}

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  while (rest > 127) {
    out.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return Buffer.from([...out, rest]);
}
