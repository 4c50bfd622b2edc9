import { z } from 'zod';
import { errorAnswer } from './responses.ts';
import type { Route } from './routes.ts';

/** The OpenAPI 3.1 document of these routes; request and answer schemas are the ones that the code validates with. */
export function describeApi(routes: readonly Route[]): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = describeRoute(route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Switchyard',
      description: 'Classification, embeddings, configuration and state of a Switchyard router.',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Error: schemaOf(errorAnswer) },
      securitySchemes: {
        admin: {
          type: 'http',
          scheme: 'bearer',
          description: 'SWITCHYARD_ADMIN_TOKEN; not needed from the same machine when it is not set',
        },
      },
    },
  };
}

function describeRoute(route: Route): unknown {
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.path.includes('{')
      ? { parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] }
      : {}),
    ...(route.management ? { security: [{ admin: [] }] } : {}),
    ...(route.body === null
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(route.body) } } } }),
    responses: {
      200: { description: 'OK', content: content(route) },
      default: {
        description: 'An error',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

function content(route: Route): unknown {
  return route.answer === null
    ? { 'text/plain': { schema: { type: 'string' } } }
    : { 'application/json': { schema: schemaOf(route.answer) } };
}

function schemaOf(schema: z.ZodType): unknown {
  const described = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  // OpenAPI 3.1 says once for the whole document which draft its schemas follow.
  return Object.fromEntries(Object.entries(described).filter(([key]) => key !== '$schema'));
}
