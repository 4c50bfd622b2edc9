import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EndpointConfig } from '../../../src/config/schema.ts';
import { httpGet } from '../../../src/execution/http-get.ts';

const server = createServer((request, response) => {
  response.end(JSON.stringify({ url: request.url, host: request.headers.host }));
});
let port = 0;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

const get = async (address: string, path: string): Promise<unknown> => {
  const endpoint = { name: 'e', address, port: 8000 } as EndpointConfig;
  const got = await httpGet(endpoint, `127.0.0.1:${port}`, path, 5000);
  return got === null ? null : JSON.parse(got.body);
};

test.each([
  ['/health', '/health'],
  ['/health check?a=%20&b=ü', '/health%20check?a=%20&b=%C3%BC'],
  ['/健康', '/%E5%81%A5%E5%BA%B7'],
])('%s goes out as %s', async (path, url) => {
  expect(await get('gpu.example', path)).toEqual({ url, host: 'gpu.example:8000' });
});

test('an IPv6 address has its brackets in the Host header', async () => {
  expect(await get('::1', '/')).toEqual({ url: '/', host: '[::1]:8000' });
});
