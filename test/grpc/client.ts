/** A hand-driven ext_proc client: every message is written by the test, every answer kept in order. */
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/proto-loader';

/** A ProcessingRequest as the loader takes it. */
export type Message = Record<string, unknown>;
/** A ProcessingResponse as the loader gives it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into it by name
export type Answer = any;

const definitions = loadSync(['proto/ext_proc.proto', 'proto/health.proto'], {
  keepCase: true,
  enums: String,
  defaults: false,
  oneofs: true,
}) as Record<string, unknown>;
const extProc = definitions['envoy.service.ext_proc.v3.ExternalProcessor'] as Record<
  string,
  MethodDefinition<Message, Answer>
>;
const health = definitions['grpc.health.v1.Health'] as Record<string, MethodDefinition<Message, Answer>>;

const OPTIONS = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc-node.flow_control_window': 16 << 20,
};

export function connect(port: number): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure(), OPTIONS);
}

/** One stream. `write` queues a message; `next` resolves with the next answer; `ended` with the status code. */
export class TestStream {
  readonly answers: Answer[] = [];
  readonly call: ClientDuplexStream<Message, Answer>;
  /** gRPC status code once the server has ended the stream. */
  readonly ended: Promise<number>;
  #taken = 0;
  #wake: () => void = () => undefined;
  #over = false;

  constructor(client: Client, role?: string, raw = false) {
    const metadata = new Metadata();
    if (role !== undefined) metadata.set('x-switchyard-role', role);
    const { Process } = extProc;
    this.call = client.makeBidiStreamRequest(
      Process!.path,
      raw ? (bytes: Message) => bytes as unknown as Buffer : Process!.requestSerialize,
      Process!.responseDeserialize,
      metadata,
    );
    this.call.on('data', (answer: Answer) => {
      this.answers.push(answer);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      this.call.on('error', (error: ServiceError) => resolve(error.code));
      this.call.on('status', ({ code }: { code: number }) => {
        this.#over = true;
        this.#wake();
        resolve(code);
      });
    });
  }

  write(message: Message): this {
    this.call.write(message);
    return this;
  }

  /** The next answer; rejects when the stream ends without one. */
  async next(): Promise<Answer> {
    while (this.answers.length <= this.#taken) {
      if (this.#over) throw new Error(`the stream ended after ${this.answers.length} answers`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.answers[this.#taken++];
  }

  /** Half-closes and waits for the server's status. */
  end(): Promise<number> {
    this.call.end();
    return this.ended;
  }
}

export function checkHealth(client: Client, service = ''): Promise<string> {
  const { Check } = health;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      Check!.path,
      Check!.requestSerialize,
      Check!.responseDeserialize,
      { service },
      { deadline: Date.now() + 5000 },
      (error, answer) => (error === null ? resolve(answer.status as string) : reject(error)),
    );
  });
}

export function watchHealth(
  client: Client,
  service = '',
): { statuses: string[]; ended: Promise<number>; cancel: () => void } {
  const { Watch } = health;
  const statuses: string[] = [];
  const call = client.makeServerStreamRequest(Watch!.path, Watch!.requestSerialize, Watch!.responseDeserialize, {
    service,
  });
  call.on('data', (answer: Answer) => statuses.push(answer.status as string));
  const ended = new Promise<number>((resolve) => {
    call.on('error', (error: ServiceError) => resolve(error.code));
    call.on('status', ({ code }: { code: number }) => resolve(code));
  });
  return { statuses, ended, cancel: () => call.cancel() };
}

export function headerMap(headers: Record<string, string>): Message {
  return {
    headers: Object.entries(headers).map(([key, value]) => ({ key, raw_value: Buffer.from(value) })),
  };
}

export function requestHeaders(
  headers: Record<string, string> = {},
  extra: Message = {},
  endOfStream = false,
): Message {
  const all = { ':method': 'POST', ':path': '/v1/chat/completions', ...headers };
  return { request_headers: { headers: headerMap(all), end_of_stream: endOfStream }, ...extra };
}

export function requestBody(body: string | Uint8Array, endOfStream = true): Message {
  return { request_body: { body: Buffer.from(body as Uint8Array), end_of_stream: endOfStream } };
}

export function responseHeaders(headers: Record<string, string> = {}, extra: Message = {}): Message {
  return { response_headers: { headers: headerMap({ ':status': '200', ...headers }) }, ...extra };
}

/** Attributes as Envoy sends them: one Struct under the filter's name. */
export function attributes(values: Record<string, string | number>): Message {
  const fields = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === 'string' ? { stringValue: value } : { numberValue: value },
    ]),
  );
  return { attributes: { 'envoy.filters.http.ext_proc': { fields } } };
}

export const BUFFERED = { protocol_config: { request_body_mode: 'BUFFERED' } };

/** Set headers of an answer as a plain object. */
export function setHeaders(mutation: Answer): Record<string, string> {
  return Object.fromEntries(
    (mutation?.set_headers ?? []).map((option: Answer) => [option.header.key, String(option.header.raw_value)]),
  );
}
