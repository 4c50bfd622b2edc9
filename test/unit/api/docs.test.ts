import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ERROR_CODES } from '../../../src/api/answer.ts';
import { createLane } from '../../../src/api/lane.ts';
import { apiRoutes } from '../../../src/api/routes.ts';
import { createFixture } from './fixture.ts';

const DOCUMENT = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');
const LANE = createLane({ width: 1, maxWaiting: 1 });

test('docs/api.md names every route and no other', () => {
  const routes = apiRoutes(createFixture().dependencies, { interactive: LANE, background: LANE });
  const listed = [...DOCUMENT.matchAll(/^\| `((?:GET|POST|PUT) \S+)` /gm)].map(([, route]) => route);
  // It leaves itself out of the table: the sentence above it is about it.
  const expected = routes
    .map(({ method, path }) => `${method} ${path}`)
    .filter((route) => route !== 'GET /openapi.json');
  expect(listed).toEqual(expected);
});

test.each(ERROR_CODES)('docs/api.md explains %s', (code) => {
  expect(DOCUMENT).toContain(`\`${code}\``);
});
