import type { Candidate, Decision, DecisionOutcome, GuardFlag, Limits, Plan } from '../../../src/decision/decision.ts';

/** The lower half of a golden file: an outcome in the words of somebody who explains it. Lines that would say nothing are left out. */
export function summarize(outcome: DecisionOutcome): string {
  const lines = outcome.kind === 'refused' ? refusedLines(outcome) : decidedLines(outcome.decision, outcome.plan);
  const { candidates } = outcome.kind === 'refused' ? outcome : outcome.decision;
  return [...lines, ...candidateLines(candidates)].join('\n');
}

function refusedLines({ error, reasonCode, block }: Extract<DecisionOutcome, { kind: 'refused' }>): string[] {
  return [
    `refused: ${error.status} ${error.type} ${error.code}${error.param === null ? '' : ` (${error.param})`}`,
    `says: ${error.message}`,
    ...(reasonCode === error.code ? [] : [`reason: ${reasonCode}`]),
    ...(block === null ? [] : [`block: ${block.event}, answered as ${block.form}`]),
    ...(block?.rule == null ? [] : [`rule: ${block.rule}`]),
    ...(block?.tenant == null ? [] : [`tenant: ${block.tenant}`]),
    ...(block?.flags ?? []).map(flagLine),
  ];
}

function decidedLines(decision: Decision, plan: Plan): string[] {
  const { category, reasoning, systemPrompt, objective, reasoningEffort: effort } = decision;
  const confidence =
    category.confidence === null ? '' : ` (${number(category.confidence)}, ${category.entropyLevel ?? ''})`;
  const limits =
    objective === null
      ? []
      : [limitText(objective.limits), limitText(objective.callerLimits, 'caller ')].filter((text) => text !== '');
  return [
    `decision: ${decision.decision}`,
    `model: ${decision.selectedModel}`,
    `because: ${decision.because}`,
    ...(decision.reasonCode === 'model_specified'
      ? []
      : [`category: ${category.name === '' ? '-' : category.name}${confidence}`]),
    ...(decision.degraded === null ? [] : [`degraded: ${decision.degraded}`]),
    ...(decision.classifierTier === 'static' ? ['classifier: the table of tokens'] : []),
    ...(reasoning === null
      ? []
      : [
          `reasoning: ${reasoning.enabled ? 'on' : 'off'}${effort === null ? '' : `, effort ${effort}`} (${reasoning.reason})`,
        ]),
    ...(systemPrompt === null ? [] : [`system prompt: ${systemPrompt.mode}, from ${systemPrompt.source}`]),
    ...(objective === null
      ? []
      : [
          `objective: ${objective.kind}, from ${objective.source}${limits.length === 0 ? '' : `; ${limits.join(', ')}`}`,
        ]),
    ...(objective === null || objective.relaxed.length === 0 ? [] : [`given up: ${objective.relaxed.join(', ')}`]),
    ...(decision.tenant === null ? [] : [`tenant: ${decision.tenant}`]),
    ...decision.flags.map(flagLine),
    ...(decision.trace ? ['trace: yes'] : []),
    ...(decision.stripFields.length === 0 ? [] : [`stripped: ${decision.stripFields.join(', ')}`]),
    ...(decision.fallbacks.length === 0 ? [] : [`fallbacks: ${decision.fallbacks.join(', ')}`]),
    `plan: ${plan.targets.map((target) => `${target.servedModel} at ${target.endpoint}`).join(', ')}${plan.untouched ? ', body untouched' : ''}`,
    ...decision.notes.map((note) => `note: ${note}`),
  ];
}

function flagLine({ guard, action, score, threshold, kinds }: GuardFlag): string {
  const what = score === null ? kinds.join(', ') : `${number(score)} at a threshold of ${threshold ?? ''}`;
  return `flagged: ${guard} (${action}), ${what}`;
}

function candidateLines(candidates: readonly Candidate[]): string[] {
  return candidates.flatMap(({ model, admissible, rejections, score, parts, notes }) => [
    `candidate ${model}: ${admissible ? (score === null ? 'admissible' : `score ${number(score)}`) : 'out'}`,
    ...rejections.map(({ stage, reason, detail }) => `  ${stage} ${reason}: ${detail}`),
    ...parts.map(({ name, value, source }) => `  ${name} ${value === null ? 'unknown' : number(value)} (${source})`),
    ...notes.map((note) => `  note: ${note}`),
  ]);
}

function limitText(limits: Limits, prefix = ''): string {
  return Object.entries(limits)
    .flatMap(([name, limit]) => (limit === null ? [] : [`${prefix}${name} ${limit}`]))
    .join(', ');
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
