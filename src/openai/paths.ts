/** Which of OpenAI's resources a path is. */
import type { ChatRequest } from './request.ts';

/** What a request to this path asks for; a query and slashes too many do not count. */
export function kindOfPath(path: string): ChatRequest['kind'] {
  const query = path.indexOf('?');
  const bare = query < 0 ? path : path.slice(0, query);
  // A base URL with a slash at its end makes two of them; endpoints see the path as it came.
  switch (bare.replace(/^\/{2,}/, '/').replace(/(?<=.)\/+$/, '')) {
    case '/v1/chat/completions':
      return 'chat';
    case '/v1/completions':
      return 'completions';
    case '/v1/embeddings':
      return 'embeddings';
    default:
      return 'other';
  }
}

/** Paths that a model answers: nothing can be put, changed or fetched there. What other paths take is for the endpoints to say. */
export function takesOnlyPost(path: string): boolean {
  return kindOfPath(path) !== 'other';
}
