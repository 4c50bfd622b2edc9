/** Events and effects of one ext_proc stream, in our own words; wire.ts translates from and to protobuf. */
import type { Mutations, HeaderEdit } from '../rewrite/mutations.ts';

/** Header names are lower case, pseudo headers (`:path`) included; a repeated header is joined by ', '. */
export type Headers = ReadonlyMap<string, string>;
/** Attributes that Envoy sends along, flattened: 'upstream.address' → '127.0.0.1:8000'. */
export type Attributes = ReadonlyMap<string, string>;

/** Which filter opened the stream (its initial metadata x-switchyard-role). */
export type StreamRole = 'route' | 'retry' | 'observe';

export type StreamEvent =
  | {
      readonly kind: 'request_headers';
      readonly headers: Headers;
      readonly endOfStream: boolean;
      readonly attributes: Attributes;
    }
  | { readonly kind: 'request_body'; readonly body: Uint8Array; readonly endOfStream: boolean }
  | { readonly kind: 'request_trailers' }
  | {
      readonly kind: 'response_headers';
      readonly headers: Headers;
      readonly endOfStream: boolean;
      readonly attributes: Attributes;
    }
  | { readonly kind: 'response_body'; readonly body: Uint8Array; readonly endOfStream: boolean }
  | { readonly kind: 'response_trailers' }
  | { readonly kind: 'unknown_message' }
  /** The pipeline's answer to an earlier `route` effect. */
  | { readonly kind: 'routed'; readonly outcome: RouteOutcome }
  | { readonly kind: 'half_closed' }
  | { readonly kind: 'cancelled' };

/** What the pipeline made of a request body. */
export type RouteOutcome =
  | { readonly kind: 'forward'; readonly mutations: Mutations }
  | { readonly kind: 'reply'; readonly status: number; readonly headers: readonly HeaderEdit[]; readonly body: string };
