import type { Plan, Target } from '../../../src/decision/decision.ts';

/** A target by `model@address`. */
export function targetOf(text: string): Target {
  const [model = '', address = ''] = text.split('@');
  return { model, servedModel: model, endpoint: `e-${address}`, address, reasoning: { kind: 'none' } };
}

export function planOf(...texts: readonly string[]): Plan {
  const [first, ...rest] = texts.map(targetOf);
  if (first === undefined) throw new Error('a plan has a target');
  return { targets: [first, ...rest], untouched: false };
}

export const namesOf = (targets: readonly Target[]): string[] =>
  targets.map(({ model, address }) => `${model}@${address}`);
