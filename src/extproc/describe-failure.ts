import { messageOf, RouterError } from '../errors.ts';

/** What may be logged of something thrown. Messages of foreign errors can quote the request (JSON.parse does), so only ours are told. */
export function describeFailure(thrown: unknown): object {
  if (thrown instanceof RouterError) return { error: thrown.name, code: thrown.code, message: messageOf(thrown) };
  if (!(thrown instanceof Error)) return { error: typeof thrown };
  const frames = (thrown.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return { error: thrown.name, at: frames.slice(0, 4).map((line) => line.trim()) };
}
