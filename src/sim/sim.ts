/** A simulated vLLM endpoint: small, honest about what it received, and steerable by `x-sim-*` request headers. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { completeBody, embeddingsBody, errorBody, makeAnswer, modelList, streamEvents, type Call } from './answers.ts';
import { behaviourOf, DEFAULT_BEHAVIOUR, type Behaviour } from './behaviour.ts';
import { drained, pause, plainHeaders, readBody, sendGiven, sendJson } from './http.ts';
import { readRequest, tokensOf, type SimRequest } from './prompt.ts';
import { metricsText, type SimLoad } from './sim-metrics.ts';

/** One request as it arrived. */
export interface SimRecord {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string | null;
  readonly bodyBytes: number;
  readonly bodySha256: string;
  /** The body as text; null above 64 KiB. */
  readonly body: string | null;
  /** Status sent; 0 when the connection was cut or the client left before the headers. */
  status: number;
  outcome: 'open' | 'answered' | 'cut' | 'client_left';
}

export interface SimOptions {
  /** Names that it serves; any other gets 404. */
  readonly models: readonly string[];
  /** What targeted `x-sim-*` values call it; default: its first model. */
  readonly name?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  readonly behaviour?: Partial<Behaviour>;
  /** How many requests are remembered; default 100. */
  readonly keep?: number;
}

export interface Sim {
  readonly name: string;
  readonly port: number;
  /** The last requests to /v1/*, oldest first. */
  readonly requests: readonly SimRecord[];
  /** How many requests came for each model name, since the start; '' for bodies without one. At most 1,000 names. */
  readonly counts: ReadonlyMap<string, number>;
  /** Changes how it answers from now on. */
  behave(change: Partial<Behaviour>): void;
  /** What /metrics says beside the requests that really run. */
  pretend(load: Partial<SimLoad>): void;
  forget(): void;
  /** Stops at once, open connections included. */
  close(): Promise<void>;
}

/** A reset throws away what is still on its way: time for that to arrive before a cut. */
const DELIVERY_MS = 25;
const KEPT_BODY_BYTES = 64 * 1024;
const MAX_NAMES = 1000;
const CALLS: Readonly<Record<string, Call | 'embeddings'>> = {
  '/v1/chat/completions': 'chat',
  '/v1/completions': 'completions',
  '/v1/embeddings': 'embeddings',
};

/** Starts one. Rejects when the port is taken. */
export async function startSim(options: SimOptions): Promise<Sim> {
  const { models, keep = 100 } = options;
  const name = options.name ?? models[0] ?? 'sim';
  const startedAt = Math.floor(Date.now() / 1000);
  const requests: SimRecord[] = [];
  const counts = new Map<string, number>();
  let base: Behaviour = { ...DEFAULT_BEHAVIOUR, ...options.behaviour };
  let load: SimLoad = { running: 0, waiting: 0, cacheUsage: 0 };
  let running = 0;

  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (request.method === 'GET') {
      serveGet(path, response);
      return;
    }
    const body = await readBody(request);
    if (body === null) {
      sendJson(response, 413, errorBody(413, 'BadRequestError', 'The body is too large.'));
      return;
    }
    const record = remember(request, path, body);
    running += 1;
    try {
      await answer(record, body, behaviourOf(request.headers, name, base), response);
    } finally {
      running -= 1;
    }
  }

  function serveGet(path: string, response: ServerResponse): void {
    if (path === '/health') response.writeHead(base.status, { 'content-length': 0 }).end();
    else if (path === '/v1/models') sendJson(response, 200, modelList(models, startedAt));
    else if (path === '/sim/requests') sendJson(response, 200, requests);
    else if (path === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
      response.end(metricsText(models[0] ?? '', { ...load, running: load.running + running }));
    } else sendJson(response, 404, errorBody(404, 'NotFoundError', 'Not Found'));
  }

  function remember(request: IncomingMessage, path: string, body: Buffer): SimRecord {
    const model = readRequest(body)?.model ?? null;
    const key = model ?? '';
    if (counts.has(key) || counts.size < MAX_NAMES) counts.set(key, (counts.get(key) ?? 0) + 1);
    const record: SimRecord = {
      method: request.method ?? '',
      path,
      headers: plainHeaders(request),
      model,
      bodyBytes: body.byteLength,
      bodySha256: createHash('sha256').update(body).digest('hex'),
      body: body.byteLength <= KEPT_BODY_BYTES ? body.toString('utf8') : null,
      status: 0,
      outcome: 'open',
    };
    requests.push(record);
    if (requests.length > keep) requests.shift();
    return record;
  }

  async function answer(
    record: SimRecord,
    body: Buffer,
    behaviour: Behaviour,
    response: ServerResponse,
  ): Promise<void> {
    response.once('close', () => {
      if (record.outcome === 'open') record.outcome = 'client_left';
    });
    if (behaviour.delayMs > 0) await pause(behaviour.delayMs, response);
    if (record.outcome !== 'open') return;
    if (behaviour.cut === 'headers') {
      cutOff(record, response);
      return;
    }
    if (behaviour.retryAfterS !== null) response.setHeader('retry-after', String(behaviour.retryAfterS));
    const send = (status: number, value: object): void => {
      Object.assign(record, { status, outcome: 'answered' });
      sendJson(response, status, value);
    };

    const call = CALLS[record.path];
    const parsed = readRequest(body);
    if (behaviour.status !== 200) {
      send(
        behaviour.status,
        errorBody(behaviour.status, 'SimulatedError', `${name} was told to answer ${behaviour.status}.`),
      );
    } else if (behaviour.echo === 'summary') {
      send(200, { ...record, status: 200, outcome: 'answered' });
    } else if (behaviour.echo === 'body') {
      Object.assign(record, { status: 200, outcome: 'answered' });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.byteLength }).end(body);
    } else if (call === undefined) {
      send(404, errorBody(404, 'NotFoundError', 'Not Found'));
    } else if (parsed?.model == null) {
      send(400, errorBody(400, 'BadRequestError', 'The body must be a JSON object with a model.'));
    } else if (!models.includes(parsed.model)) {
      send(404, errorBody(404, 'NotFoundError', `The model \`${parsed.model}\` does not exist.`));
    } else if (behaviour.contextWindow !== null && tokensOf(parsed.textLength) >= behaviour.contextWindow) {
      send(400, errorBody(400, 'BadRequestError', tooLong(behaviour.contextWindow, tokensOf(parsed.textLength))));
    } else if (call === 'embeddings') {
      send(200, embeddingsBody(parsed.model, parsed.inputs));
    } else {
      await complete(call, parsed.model, parsed, record, behaviour, response);
    }
  }

  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host ?? '127.0.0.1', resolve);
  });

  return {
    name,
    port: (server.address() as AddressInfo).port,
    requests,
    counts,
    behave: (change) => void (base = { ...base, ...change }),
    pretend: (change) => void (load = { ...load, ...change }),
    forget: () => {
      requests.length = 0;
      counts.clear();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function tooLong(window: number, tokens: number): string {
  return `This model's maximum context length is ${window} tokens. However, your request has ${tokens} input tokens.`;
}

async function complete(
  call: Call,
  model: string,
  request: SimRequest,
  record: SimRecord,
  behaviour: Behaviour,
  response: ServerResponse,
): Promise<void> {
  const answer = makeAnswer(call, model, request, randomUUID(), Math.floor(Date.now() / 1000));
  record.status = 200;
  if (!request.stream) {
    if (behaviour.cut !== null) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 4096 });
      response.write('{"id":');
      await pause(DELIVERY_MS, response);
      cutOff(record, response);
      return;
    }
    record.outcome = 'answered';
    if (behaviour.given !== null) sendGiven(response, behaviour.given);
    else sendJson(response, 200, completeBody(answer));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  let written = 0;
  for (const event of streamEvents(answer, behaviour.chunks, request.includeUsage)) {
    if (behaviour.cut !== null && written >= (behaviour.cut as number)) {
      await pause(DELIVERY_MS, response);
      cutOff(record, response);
      return;
    }
    if (written > 0 && behaviour.chunkDelayMs > 0) await pause(behaviour.chunkDelayMs, response);
    if (record.outcome !== 'open') return;
    const stamped = behaviour.timestamps
      ? { ...event, sim_written_at: performance.timeOrigin + performance.now() }
      : event;
    if (!response.write(`data: ${JSON.stringify(stamped)}\n\n`)) await drained(response);
    written += 1;
  }
  record.outcome = 'answered';
  response.end('data: [DONE]\n\n');
}

function cutOff(record: SimRecord, response: ServerResponse): void {
  record.outcome = 'cut';
  // A reset, as of a process that died, and not an orderly close.
  const socket = response.socket;
  if (socket === null) response.destroy();
  else socket.resetAndDestroy();
}
