/** The bytes of a whole conversation, cut anywhere: into DATA frames, in the middle of a length prefix, several messages in one frame. */
import { connect as connectHttp2 } from 'node:http2';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/proto-loader';
import type { Message } from './client.ts';
import { requestBody, requestHeaders } from './client.ts';
import { forwardTo, start } from './harness.ts';

const definitions = loadSync('proto/ext_proc.proto', { keepCase: true, enums: String }) as Record<string, unknown>;
const { Process } = definitions['envoy.service.ext_proc.v3.ExternalProcessor'] as Record<
  string,
  MethodDefinition<Message, Message>
>;

function framed(message: Message): Buffer {
  const payload = Buffer.from(Process!.requestSerialize(message));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(payload.length, 1);
  return Buffer.concat([prefix, payload]);
}

/** Whole messages at the start of these bytes. */
function messagesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at + 5 <= bytes.length; count++) {
    at += 5 + bytes.readUInt32BE(at + 1);
    if (at > bytes.length) return count;
  }
  return count;
}

test('any cutting of the bytes gives the same bytes back', async () => {
  const bodies: string[] = [];
  const running = await start({
    route: async ({ body }) => {
      bodies.push(Buffer.from(body).toString());
      return forwardTo('m', 'c');
    },
  });
  const session = connectHttp2(`http://127.0.0.1:${running.port}`);
  /** Sends the parts one by one, half-closes when all answers are back, and gives their bytes. */
  const converse = (parts: readonly Buffer[], answers: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': Process!.path,
        'content-type': 'application/grpc',
        te: 'trailers',
        'x-switchyard-role': 'route',
      });
      let back = Buffer.alloc(0);
      stream.on('data', (chunk: Buffer) => {
        back = Buffer.concat([back, chunk]);
        if (messagesIn(back) === answers) stream.end();
      });
      stream.on('error', reject);
      stream.on('end', () => resolve(back.toString('hex')));
      for (const part of parts) stream.write(part);
    });
  try {
    const request = [requestHeaders(), requestBody('{"a":', false), requestBody('1}')].map(framed);
    const bytes = Buffer.concat(request);
    const expected = await converse([bytes], 3);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 30 }), async (cuts) => {
        const places = [...new Set([0, ...cuts, bytes.length])].sort((a, b) => a - b);
        const parts = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
        expect(await converse(parts, 3)).toBe(expected);
      }),
      { numRuns: 100 },
    );
    expect(new Set(bodies)).toEqual(new Set(['{"a":1}']));
  } finally {
    session.close();
    await running.stop();
  }
});
