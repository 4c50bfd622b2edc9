import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { EndpointConfig } from '../config/schema.ts';

/** The longest answer that is read: vLLM's metrics are some 100 KiB. */
const MAX_BYTES = 1 << 20;

export interface Got {
  readonly status: number;
  readonly body: string;
}

/**
 * GETs a path of an endpoint at one of its addresses (`ip:port`). Null when there is no whole answer within `timeoutMs`. It carries no key and
 * keeps no secret, so a certificate that Envoy would refuse does not matter here: the question is whether anybody is at home.
 */
export function httpGet(
  endpoint: EndpointConfig,
  address: string,
  path: string,
  timeoutMs: number,
): Promise<Got | null> {
  const colon = address.lastIndexOf(':');
  const tls = endpoint.tls?.enabled === true;
  const name = endpoint.tls?.sni ?? endpoint.address;
  const options = {
    host: address.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(address.slice(colon + 1)),
    // As bytes of UTF-8: Node refuses to send anything else, and throws.
    path: path.replace(/[^!-~]/gu, encodeURIComponent),
    headers: {
      host: `${isIP(endpoint.address) === 6 ? `[${endpoint.address}]` : endpoint.address}:${endpoint.port}`,
      connection: 'close',
    },
    agent: false as const,
  };
  return new Promise((resolve) => {
    const done = (got: Got | null): void => {
      clearTimeout(timer);
      resolve(got);
      request.destroy();
    };
    const receive = (response: IncomingMessage): void => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
        if (body.length > MAX_BYTES) done(null);
      });
      response.on('end', () => done({ status: response.statusCode ?? 0, body }));
      response.on('error', () => done(null));
    };
    const request = tls
      ? httpsRequest(
          { ...options, rejectUnauthorized: false, ...(isIP(name) === 0 ? { servername: name } : {}) },
          receive,
        )
      : httpRequest(options, receive);
    const timer = setTimeout(() => done(null), timeoutMs);
    request.on('error', () => done(null));
    request.end();
  });
}
