/**
 * A stand-in for the router, for questions to Envoy alone: it decides by request headers instead of by the prompt, and fails on command.
 *   x-fake-plan: ip:port,ip:port   the endpoint list, as it is          x-fake-retries: n   x-envoy-max-retries
 *   x-fake-fail: hang|error|end|garbage|reply @ headers|body|response|retry-headers|retry-body   what goes wrong, and when
 * Run as a program (environment FAKE_ROUTER: JSON of FakeRouterOptions) it prints its ports as JSON and can be killed or stopped.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  loadPackageDefinition,
  Server as GrpcServer,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceClientConstructor,
  type GrpcObject,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { load } from '../../src/config/load.ts';
import { createPoolFeed } from '../../src/envoy/pool-feed.ts';
import { createResolver } from '../../src/execution/resolve.ts';

export interface FakeRouterOptions {
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
  readonly grpcPort: number;
  readonly httpPort: number;
}

/** What one stream was told, by role. */
export interface FakeStream {
  readonly role: string;
  readonly messages: {
    kind: string;
    metadata: unknown;
    attributes: unknown;
    headers?: Record<string, string>;
    body?: string;
  }[];
}

export interface FakeRouter {
  readonly grpcPort: number;
  readonly httpPort: number;
  /** The last 200 streams. */
  readonly streams: readonly FakeStream[];
  close(): Promise<void>;
}

interface Message {
  request: string;
  metadata_context?: { filter_metadata?: Record<string, Struct> };
  attributes?: Record<string, Struct>;
  [part: string]: unknown;
}
interface Struct {
  fields?: Record<string, { stringValue?: string; numberValue?: number; structValue?: Struct }>;
}
type Call = ServerDuplexStream<Message, object>;

export async function startFakeRouter(options: FakeRouterOptions): Promise<FakeRouter> {
  const loaded = load(options.config, 'test.yaml', options.env);
  if (loaded.kind === 'rejected') throw new Error(JSON.stringify(loaded.problems));
  const { registry } = loaded;
  const feed = createPoolFeed({
    clock: () => performance.now(),
    ...(options.env['FAKE_CA_FILE'] === undefined ? {} : { caFile: options.env['FAKE_CA_FILE'] }),
  });
  const resolver = createResolver({ onChange: (addresses) => feed.update(registry, addresses) });
  await resolver.watch(registry.endpoints.values());

  const streams: FakeStream[] = [];
  const process = (call: Call): void => {
    const role = String(call.metadata.get('x-switchyard-role')[0] ?? '');
    const stream: FakeStream = { role, messages: [] };
    streams.push(stream);
    if (streams.length > 200) streams.shift();
    let headers: Record<string, string> = {};
    let to = '';
    call.on('data', (message: Message) => {
      const part = message[message.request] as {
        headers?: { headers?: { key: string; raw_value?: Buffer }[] };
        body?: Buffer;
      };
      const seen = Object.fromEntries(
        (part.headers?.headers ?? []).map(({ key, raw_value }) => [key, String(raw_value ?? '')]),
      );
      const attributes = plain(Object.values(message.attributes ?? {})[0]);
      stream.messages.push({
        kind: message.request,
        metadata: Object.fromEntries(
          Object.entries(message.metadata_context?.filter_metadata ?? {}).map(([k, v]) => [k, plain(v)]),
        ),
        attributes,
        headers: seen,
        ...(part.body === undefined ? {} : { body: part.body.toString('utf8').slice(0, 4096) }),
      });
      if (role === 'observe') return;
      if (message.request === 'request_headers') {
        headers = seen;
        const address = attributes['upstream.address'];
        to = typeof address === 'string' ? address : '';
      }
      const when = message.request.replace('request_', '').replace('_headers', '');
      const [how, at] = (headers['x-fake-fail'] ?? '').split('@').map((text) => text.trim());
      if (how !== undefined && how !== '' && at === (role === 'retry' ? RETRY_PHASES[when] : when)) {
        fail(call, how);
        return;
      }
      // As the real one does: the filter leaves the response's headers out unless it is asked for them.
      const wanted = { response_header_mode: 'SEND', request_body_mode: 'BUFFERED', response_body_mode: 'NONE' };
      if (message.request === 'request_headers')
        call.write({ request_headers: { response: {} }, ...(role === 'route' ? { mode_override: wanted } : {}) });
      else if (message.request === 'request_body') call.write(decide(role, headers, to, part.body ?? Buffer.alloc(0)));
      else if (message.request === 'response_headers')
        call.write({
          response_headers: {
            response: {
              header_mutation: {
                set_headers: [header('x-fake-routed', String(attributes['upstream.request_attempt_count']))],
              },
            },
          },
        });
    });
    call.on('error', () => undefined);
    call.on('end', () => call.end());
  };

  /** An alias becomes the default model, a concrete one stays; a retry writes the model of the endpoint that it goes to. */
  function decide(role: string, headers: Record<string, string>, to: string, body: Buffer): object {
    const request = JSON.parse(body.toString('utf8')) as { model: string };
    const modelAt = (address: string): string | undefined =>
      [...registry.models.values()].find((model) =>
        model.endpoints.some((endpoint) => resolver.addresses.get(endpoint.name)?.includes(address)),
      )?.name;
    const wanted = registry.aliases.has(request.model) ? registry.defaultModel : request.model;
    const own =
      registry.models.get(wanted)?.endpoints.flatMap((endpoint) => resolver.addresses.get(endpoint.name) ?? []) ?? [];
    const plan = headers['x-fake-plan'] ?? own.join(',');
    const model = role === 'retry' ? modelAt(to) : (modelAt(plan.split(',')[0] ?? '') ?? wanted);
    const changed = Buffer.from(JSON.stringify({ ...request, model }));
    const edit = { set_headers: [header('content-length', String(changed.byteLength))] };
    if (role === 'retry')
      return { request_body: { response: { header_mutation: edit, body_mutation: { body: changed } } } };
    edit.set_headers.push(header('x-switchyard-decision', 'fake'));
    if (headers['x-fake-retries'] !== undefined)
      edit.set_headers.push(header('x-envoy-max-retries', headers['x-fake-retries']));
    return {
      request_body: { response: { clear_route_cache: true, header_mutation: edit, body_mutation: { body: changed } } },
      dynamic_metadata: struct({
        'envoy.lb': { 'x-gateway-destination-endpoint': plan },
        switchyard: { plan, note: 'from the router' },
      }),
    };
  }

  const proto = loadSync(
    [
      fileURLToPath(new URL('../../proto/ext_proc.proto', import.meta.url)),
      fileURLToPath(new URL('../../proto/health.proto', import.meta.url)),
    ],
    { keepCase: true, longs: Number, enums: String, oneofs: true },
  );
  const loadedProto = loadPackageDefinition(proto) as GrpcObject & {
    envoy: { service: { ext_proc: { v3: { ExternalProcessor: ServiceClientConstructor } } } };
    grpc: { health: { v1: { Health: ServiceClientConstructor } } };
  };
  const server = new GrpcServer({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  server.addService(loadedProto.envoy.service.ext_proc.v3.ExternalProcessor.service, { Process: process });
  server.addService(loadedProto.grpc.health.v1.Health.service, {
    Check: (_: unknown, done: (error: null, value: object) => void) => done(null, { status: 'SERVING' }),
  });
  const grpcPort = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${options.grpcPort}`, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  );

  const api: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      if (request.url === '/v3/discovery:clusters') {
        const poll = JSON.parse(Buffer.concat(chunks).toString()) as { version_info?: string };
        const answer = feed.answer(poll.version_info ?? null);
        if (answer.kind === 'unchanged') response.writeHead(304).end();
        else response.end(JSON.stringify(answer.response));
      } else if (request.url === '/ready') response.end('{}');
      else if (request.url?.startsWith('/v1/models') === true) response.end('{"object":"list","data":[{"id":"auto"}]}');
      else response.writeHead(404).end('{}');
    });
  });
  await new Promise<void>((resolve, reject) =>
    api.once('error', reject).listen(options.httpPort, '127.0.0.1', resolve),
  );
  return {
    grpcPort,
    httpPort: (api.address() as AddressInfo).port,
    streams,
    close: async () => {
      resolver.close();
      server.forceShutdown();
      api.closeAllConnections();
      await new Promise((resolve) => api.close(resolve));
    },
  };
}

/** What a failure at a later attempt is called. */
const RETRY_PHASES: Readonly<Record<string, string>> = { headers: 'retry-headers', body: 'retry-body' };

function fail(call: Call, how: string): void {
  if (how === 'error') call.emit('error', { code: 13, details: 'told to fail' });
  else if (how === 'end') call.end();
  else if (how === 'garbage') call.write({ response_trailers: {} });
  else if (how === 'reply')
    call.write({
      immediate_response: {
        status: { code: 503 },
        body: Buffer.from('{"error":{"message":"mine"}}'),
        headers: { set_headers: [header('content-type', 'application/json')] },
        details: 'switchyard_reply',
      },
    });
}

function header(key: string, value: string): object {
  return { header: { key, raw_value: Buffer.from(value) }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' };
}

function plain(value: Struct | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value?.fields ?? {}).map(([key, v]) => [
      key,
      v.stringValue ?? v.numberValue ?? (v.structValue === undefined ? null : plain(v.structValue)),
    ]),
  );
}

function struct(value: Record<string, Record<string, string>>): object {
  const fields = (entries: Record<string, string>): object => ({
    fields: Object.fromEntries(Object.entries(entries).map(([k, v]) => [k, { stringValue: v }])),
  });
  return {
    fields: Object.fromEntries(
      Object.entries(value).map(([namespace, entries]) => [namespace, { structValue: fields(entries) }]),
    ),
  };
}

const asProgram = process.env['FAKE_ROUTER'];
if (asProgram !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  const router = await startFakeRouter(JSON.parse(asProgram) as FakeRouterOptions);
  process.stdout.write(`${JSON.stringify({ grpcPort: router.grpcPort, httpPort: router.httpPort })}\n`);
}
