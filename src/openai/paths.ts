/** Which of OpenAI's resources a path is. */
import type { ChatRequest } from './request.ts';

/** What a request to this path asks for; a query and slashes too many do not count. */
export function kindOfPath(path: string): ChatRequest['kind'] {
  const query = path.indexOf('?');
  const bare = query < 0 ? path : path.slice(0, query);
  // A base URL with a slash at its end makes two of them; endpoints see the path as it came.
  switch (trimmed(bare)) {
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

/** One slash in front, none at the end. By hand: a pattern for the end takes the square of a long run of slashes. */
function trimmed(path: string): string {
  let [start, end] = [0, path.length];
  while (path[start] === '/' && path[start + 1] === '/') start += 1;
  while (end > start + 1 && path[end - 1] === '/') end -= 1;
  return path.slice(start, end);
}

/** Paths that a model answers: nothing can be put, changed or fetched there. What other paths take is for the endpoints to say. */
export function takesOnlyPost(path: string): boolean {
  return kindOfPath(path) !== 'other';
}
