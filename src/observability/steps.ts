import type { DecisionOutcome } from '../decision/decision.ts';
import type { Signals } from '../signals/signals.ts';
import type { Log } from './log.ts';

/** What the step-by-step lines are made from. */
export interface Steps {
  readonly requestId: string | null;
  readonly signals: Signals | null;
  readonly outcome: DecisionOutcome;
  /** classifier.category_model.threshold. */
  readonly threshold: number;
}

/**
 * At level debug, the lines that users of the classic router grep for, one for each step of one request. Costs one comparison at any other
 * level. No line holds text of the prompt.
 */
export function logSteps(log: Log, steps: Steps): void {
  if (!log.isLevelEnabled('debug')) return;
  const fields = { request_id: steps.requestId };
  for (const line of stepLines(steps)) log.debug(fields, line);
}

/** The lines themselves, in the order of the steps. */
export function stepLines({ signals, outcome, threshold }: Steps): readonly string[] {
  if (outcome.kind === 'refused') return [`Request refused: ${outcome.reasonCode}`];
  const { decision, plan } = outcome;
  const lines = [`Original model: ${decision.originalModel}`];
  const encoding = signals?.encoding ?? null;
  if (decision.degraded !== null) {
    const standIn = encoding === null ? '' : '; the table of tokens stands in';
    lines.push(`Classification unavailable: reason=${decision.degraded}${standIn}`);
  }
  if (encoding !== null) lines.push(...classificationLines(encoding.categoryProbabilities, outcome, threshold));
  const score = decision.candidates.find((candidate) => candidate.model === decision.selectedModel)?.score ?? null;
  if (decision.category.name !== '' && score !== null) {
    lines.push(
      `Selected model ${decision.selectedModel} for category ${decision.category.name} with score ${score.toFixed(4)}`,
    );
  }
  lines.push(`Routing to model: ${decision.selectedModel}`);
  const [target] = plan.targets;
  lines.push(`Selected endpoint address: ${target.address} for model: ${target.model}`);
  if (decision.reasoning !== null)
    lines.push(reasoningLine(decision.reasoning.enabled, target.model, decision.reasoningEffort));
  if (decision.systemPrompt !== null) {
    lines.push(
      `Added category-specific system prompt for category: ${decision.category.name} (mode: ${decision.systemPrompt.mode})`,
    );
  }
  return lines;
}

function classificationLines(
  probabilities: readonly number[],
  { decision }: Extract<DecisionOutcome, { kind: 'decided' }>,
  threshold: number,
): string[] {
  const { category, reasoning } = decision;
  const confidence = category.confidence ?? 0;
  const lines = [
    `Classification result: class=${probabilities.indexOf(Math.max(...probabilities))}, confidence=${confidence.toFixed(4)}, entropy_available=${category.entropyBits !== null}`,
  ];
  if (category.entropyBits !== null && category.entropyNormalized !== null) {
    lines.push(
      `Entropy analysis: entropy=${category.entropyBits.toFixed(4)}, normalized=${category.entropyNormalized.toFixed(4)}, level=${category.entropyLevel ?? 'none'}`,
    );
  }
  const top = category.topCategories.map((one) => `${one.category}:${one.probability.toFixed(4)}`).join(', ');
  lines.push(`Top predicted categories: ${top}`);
  if (category.name === '') {
    lines.push(
      `Classification confidence (${confidence.toFixed(4)}) below threshold (${threshold.toFixed(4)}), but entropy analysis available`,
    );
  } else if (reasoning !== null) {
    lines.push(
      `Classified as category: ${category.name}, reasoning_decision: use=${reasoning.enabled}, confidence=${reasoning.confidence.toFixed(3)}, reason=${reasoning.reason}`,
    );
  }
  if (reasoning !== null) {
    lines.push(
      `Entropy-based reasoning decision: use=${reasoning.enabled}, confidence=${reasoning.confidence.toFixed(3)}, reason=${reasoning.reason}, strategy=${reasoning.strategy}`,
    );
  }
  return lines;
}

function reasoningLine(enabled: boolean, model: string, effort: string | null): string {
  return `Entropy-based reasoning decision for this query: ${enabled} on [${model}] model${effort === null ? '' : ` (effort: ${effort})`}`;
}
