/** Answers that the stream gives by itself, in the shape of OpenAI's errors. None of them carries anything of the request. */
import type { ApiError } from '../errors.ts';
import { openAiErrorBody } from '../errors.ts';
import type { HeaderEdit } from '../rewrite/mutations.ts';
import type { ReplyOutcome } from './machine-events.ts';

function replyWith(error: ApiError, extra: readonly HeaderEdit[] = []): ReplyOutcome {
  return {
    kind: 'reply',
    status: error.status,
    headers: [{ name: 'content-type', value: 'application/json' }, ...extra],
    body: openAiErrorBody(error),
  };
}

/** 413 for a body over `maxBodyBytes`. */
export function tooLargeReply(maxBodyBytes: number): ReplyOutcome {
  return replyWith({
    status: 413,
    type: 'invalid_request_error',
    code: 'request_too_large',
    message: `The request body is larger than this router accepts (${maxBodyBytes} bytes). Send a smaller body.`,
    param: null,
  });
}

/** 503 for a router that holds as many bodies as it may; says when to try again. */
export function overloadedReply(retryAfterS: number): ReplyOutcome {
  return replyWith(
    {
      status: 503,
      type: 'server_error',
      code: 'router_overloaded',
      message: `The router is holding as many requests as it can. Try again in ${retryAfterS} s.`,
      param: null,
    },
    [{ name: 'retry-after', value: String(retryAfterS) }],
  );
}

/** 503 for a router that failed, where its failure mode is closed or nothing else is possible any more. */
export function unavailableReply(): ReplyOutcome {
  return replyWith({
    status: 503,
    type: 'server_error',
    code: 'router_unavailable',
    message: 'The router could not decide where to send this request. Try again.',
    param: null,
  });
}

/** 400 for trailers after a body that came in pieces: its pieces are gone, so nothing can be put in their place. */
export function trailersReply(): ReplyOutcome {
  return replyWith({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_trailers',
    message: 'HTTP trailers after a request body are not supported here. Send the request without trailers.',
    param: null,
  });
}

/** 431 for headers, with what Envoy sends beside them, that no sane request has. */
export function headersTooLargeReply(): ReplyOutcome {
  return replyWith({
    status: 431,
    type: 'invalid_request_error',
    code: 'headers_too_large',
    message: 'The request headers are larger than this router accepts.',
    param: null,
  });
}
