import type { z } from 'zod';
import { failure, json, type Answer } from './answer.ts';
import {
  batchBody,
  discoveryBody,
  embeddingsBody,
  intentBody,
  outcomeBody,
  similarityBody,
  systemPromptsBody,
  explainBody,
  piiBody,
  securityBody,
} from './bodies.ts';
import { classifyBatch, classifyIntent, refuseTooManyTexts } from './classify.ts';
import type { ApiDependencies } from './dependencies.ts';
import { embeddings, similarity } from './embeddings.ts';
import { classifierInfo, health, metricsText, modelsInfo, ready } from './info.ts';
import { explainRequest } from './explain.ts';
import type { Lanes } from './lane.ts';
import { getModel, listModels } from './models.ts';
import { describeApi } from './openapi.ts';
import { gradeAnswer, outcomesInfo } from './outcomes.ts';
import { classifyPii } from './pii.ts';
import * as responses from './responses.ts';
import { classifySecurity } from './security.ts';
import { listSystemPrompts, updateSystemPrompts } from './system-prompts.ts';

/** What a handler gets of a request. */
export interface RouteInput {
  /** The parsed JSON body, not yet validated; undefined for routes without one. */
  readonly body: unknown;
  readonly params: Readonly<Record<string, string>>;
  /** Fires when the client hangs up. */
  readonly signal: AbortSignal;
}

/** One route: the server, the 405 answers and /openapi.json are all made from this. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** OpenAPI's spelling: /v1/models/{id}. A parameter matches the rest of the path, slashes included. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  /** Management routes show or change prompts: access.ts says who may use them. */
  readonly management: boolean;
  readonly body: z.ZodType | null;
  /** The schema of a 200; null for one that is not JSON. */
  readonly answer: z.ZodType | null;
  readonly handle: (input: RouteInput) => Answer | Promise<Answer>;
}

type RouteHead = Omit<Route, 'management' | 'body' | 'handle'>;

/** The routes of the API, in the order of docs/api.md. */
export function apiRoutes(dependencies: ApiDependencies, lanes: Lanes): readonly Route[] {
  const startedAt = dependencies.now();
  const context = { dependencies, lanes };
  const tooManyTexts = (body: unknown) => refuseTooManyTexts(body, dependencies.registry().config.limits.batch_texts);
  const routes: Route[] = [
    get('/health', 'health', 'Whether the process is alive', responses.healthAnswer, () => health()),
    get('/ready', 'ready', 'Whether traffic should come, or what is missing', responses.readyAnswer, () =>
      ready(dependencies),
    ),
    get('/v1/models', 'listModels', 'The names that a request may ask for', responses.modelsAnswer, () =>
      listModels(dependencies.registry(), startedAt),
    ),
    get('/v1/models/{id}', 'getModel', 'One of those names', responses.modelAnswer, ({ params }) =>
      getModel(dependencies.registry(), params['id'] ?? '', startedAt),
    ),
    withBody(
      post(
        '/api/v1/classify/intent',
        'classifyIntent',
        'Category, entropy, reasoning and model for one text',
        responses.intentAnswer,
      ),
      intentBody,
      (body, { signal }) => classifyIntent(body, signal, context),
    ),
    withBody(
      post(
        '/api/v1/classify/pii',
        'classifyPii',
        'Personal data in one text, and the text without it',
        responses.piiAnswer,
      ),
      piiBody,
      (body, { signal }) => classifyPii(body, signal, dependencies),
    ),
    withBody(
      post(
        '/api/v1/classify/security',
        'classifySecurity',
        'The jailbreak score of one text',
        responses.securityAnswer,
      ),
      securityBody,
      (body, { signal }) => classifySecurity(body, signal, context),
    ),
    withBody(
      post('/api/v1/classify/batch', 'classifyBatch', 'The categories of many texts', responses.batchAnswer),
      batchBody,
      (body, { signal }) => classifyBatch(body, signal, context),
      tooManyTexts,
    ),
    withBody(
      post(
        '/api/v1/embeddings',
        'embeddings',
        'Sentence embeddings of the classifying encoder',
        responses.embeddingsAnswer,
      ),
      embeddingsBody,
      (body, { signal }) => embeddings(body, signal, context),
      tooManyTexts,
    ),
    withBody(
      post('/api/v1/similarity', 'similarity', 'Cosine similarity of two texts', responses.similarityAnswer),
      similarityBody,
      (body, { signal }) => similarity(body, signal, context),
    ),
    {
      ...withBody(
        post(
          '/api/v1/explain',
          'explain',
          'The decision and the plan for a chat request, without sending it',
          responses.explainAnswer,
        ),
        explainBody,
        (body, { signal }) => explainRequest(body, signal, context),
      ),
      management: true,
    },
    {
      ...get(
        '/config/system-prompts',
        'listSystemPrompts',
        'The system prompts in force',
        responses.systemPromptsAnswer,
        () => listSystemPrompts(dependencies),
      ),
      management: true,
    },
    {
      ...withBody(
        {
          method: 'PUT',
          path: '/config/system-prompts',
          operationId: 'updateSystemPrompts',
          summary: 'Switch system prompts on or off, or change their mode; makes a new config version',
          answer: responses.systemPromptsAnswer,
        },
        systemPromptsBody,
        (body) => updateSystemPrompts(body, dependencies),
      ),
      management: true,
    },
    {
      ...withBody(
        post('/api/v1/outcomes', 'gradeAnswer', 'A grade for the answer to a routed request', responses.gradedAnswer),
        outcomeBody,
        (body) => gradeAnswer(body, dependencies.outcomes),
      ),
      management: true,
    },
    get('/info/models', 'modelsInfo', 'The loaded classifier', responses.modelsInfoAnswer, () =>
      modelsInfo(dependencies),
    ),
    get('/info/classifier', 'classifierInfo', 'The settings that decide', responses.classifierInfoAnswer, () =>
      classifierInfo(dependencies),
    ),
    get('/info/endpoints', 'endpointsInfo', 'The endpoints and how they are', responses.endpointsInfoAnswer, () =>
      json({ endpoints: dependencies.endpoints() }),
    ),
    get(
      '/info/outcomes',
      'outcomesInfo',
      'What the grades say of each model in each category',
      responses.outcomesInfoAnswer,
      () => outcomesInfo(dependencies),
    ),
    get('/metrics', 'metrics', "Metrics in Prometheus' text format", null, () => metricsText(dependencies)),
    get('/openapi.json', 'openapi', 'This description', responses.openApiAnswer, () => json(describeApi(routes))),
    withBody(
      post(
        '/v3/discovery:clusters',
        'discoverClusters',
        "Envoy's REST CDS: the endpoints as clusters",
        responses.clustersAnswer,
      ),
      discoveryBody,
      (body) => {
        const answer = dependencies.clusters(body.version_info ?? null);
        return answer.kind === 'unchanged' ? { kind: 'empty', status: 304 } : json(answer.response);
      },
    ),
  ];
  return routes;
}

/** The routes of the metrics listener. */
export function metricsRoutes(dependencies: Pick<ApiDependencies, 'metrics'>): readonly Route[] {
  return [
    get('/metrics', 'metrics', "Metrics in Prometheus' text format", null, () => metricsText(dependencies)),
    get('/health', 'health', 'Whether the process is alive', responses.healthAnswer, () => health()),
  ];
}

function get(
  path: string,
  operationId: string,
  summary: string,
  answer: z.ZodType | null,
  handle: Route['handle'],
): Route {
  return { method: 'GET', path, operationId, summary, management: false, body: null, answer, handle };
}

function post(path: string, operationId: string, summary: string, answer: z.ZodType): RouteHead {
  return { method: 'POST', path, operationId, summary, answer };
}

/**
 * A route whose body is validated first; 400 names the member at fault and never repeats its value. `refuse` comes before that, for bodies
 * that are too much to be validated.
 */
function withBody<Schema extends z.ZodType>(
  head: RouteHead,
  schema: Schema,
  handle: (body: z.output<Schema>, input: RouteInput) => Answer | Promise<Answer>,
  refuse: (body: unknown) => Answer | null = () => null,
): Route {
  return {
    ...head,
    management: false,
    body: schema,
    handle: (input) => {
      const refusal = refuse(input.body);
      if (refusal !== null) return refusal;
      const parsed = schema.safeParse(input.body);
      return parsed.success ? handle(parsed.data, input) : invalidBody(parsed.error);
    },
  };
}

function invalidBody(error: z.ZodError): Answer {
  const [issue] = error.issues;
  if (issue === undefined) return failure(400, 'INVALID_INPUT', 'The body is not what this route takes.');
  const path = issue.path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : `${text}${text === '' ? '' : '.'}${String(step)}`),
    '',
  );
  const others = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  const code = path === 'task_type' ? 'INVALID_TASK_TYPE' : 'INVALID_INPUT';
  return failure(400, code, `${path === '' ? 'body' : path}: ${issue.message}${others}`);
}
