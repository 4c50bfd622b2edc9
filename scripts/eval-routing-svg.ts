/** The cost–quality curves as a picture that reads on light and dark pages. */
import { qualityAt } from './eval-routing-curve.ts';
import type { PairResult } from './eval-routing-measure.ts';

const WIDTH = 860;
const HEIGHT = 460;
const PLOT = { left: 64, top: 48, right: 590, bottom: 400 };
/** Mid-tones with enough contrast on white and on near-black; shape (dashes) tells baselines from ours without colour. */
const COLOURS = [
  '#8a8f98',
  '#b08800',
  '#d1618f',
  '#c2570c',
  '#6f7fe8',
  '#2f81f7',
  '#1a9e6b',
  '#9a6ee0',
  '#14a0b5',
  '#57606a',
  '#7d8f2b',
  '#b5483a',
];
const STEPS = 100;

export function drawCurves(result: PairResult): string {
  const { strategies } = result;
  const samples = strategies.map(({ curve }) =>
    Array.from({ length: STEPS + 1 }, (_, step) => qualityAt(curve, step / STEPS)),
  );
  const all = samples.flat();
  const low = Math.floor(Math.min(...all) * 20) / 20;
  const high = Math.ceil(Math.max(...all) * 20) / 20;
  const x = (share: number) => PLOT.left + share * (PLOT.right - PLOT.left);
  const y = (quality: number) => PLOT.bottom - ((quality - low) / (high - low)) * (PLOT.bottom - PLOT.top);
  const title = `Quality against the share of requests for ${result.pair.large}`;
  const grid = range(low, high, 0.05).map(
    (quality) =>
      `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${fixed(y(quality))}" y2="${fixed(y(quality))}"/>` +
      `<text x="${PLOT.left - 8}" y="${fixed(y(quality) + 4)}" text-anchor="end">${(100 * quality).toFixed(0)} %</text>`,
  );
  const ticks = range(0, 1, 0.2).map(
    (share) =>
      `<line class="axis" x1="${fixed(x(share))}" x2="${fixed(x(share))}" y1="${PLOT.bottom}" y2="${PLOT.bottom + 5}"/>` +
      `<text x="${fixed(x(share))}" y="${PLOT.bottom + 20}" text-anchor="middle">${(100 * share).toFixed(0)} %</text>`,
  );
  const lines = strategies.map(({ role, name }, index) => {
    const points = (samples[index] ?? []).map((quality, step) => `${fixed(x(step / STEPS))},${fixed(y(quality))}`);
    return `<polyline class="${role}" stroke="${colour(index)}" points="${points.join(' ')}"><title>${escaped(name)}</title></polyline>`;
  });
  const legend = strategies.map(({ name, role, apgr }, index) => {
    const top = PLOT.top + 14 + index * 26;
    return (
      `<line class="${role}" stroke="${colour(index)}" x1="${PLOT.right + 24}" x2="${PLOT.right + 54}" y1="${top}" y2="${top}"/>` +
      `<text x="${PLOT.right + 62}" y="${top + 4}">${escaped(name)} (${apgr.value.toFixed(3)})</text>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">
<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.axis { stroke: #57606a } .grid { stroke: #8c959f; stroke-opacity: .3 }
polyline { fill: none } .ours { stroke-width: 2.4 } .baseline { stroke-width: 1.6; stroke-dasharray: 6 4 } .bound { stroke-width: 1.4; stroke-dasharray: 2 3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .axis { stroke: #9ea7b3 } }
</style>
<text x="${PLOT.left}" y="24" style="font-size: 14px; font-weight: 600">${escaped(title)}</text>
${grid.join('\n')}
<line class="axis" x1="${PLOT.left}" x2="${PLOT.left}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>
<line class="axis" x1="${PLOT.left}" x2="${PLOT.right}" y1="${PLOT.bottom}" y2="${PLOT.bottom}"/>
${ticks.join('\n')}
<text x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 44}" text-anchor="middle">share of requests that go to the large model (cost)</text>
<text transform="rotate(-90)" x="${-(PLOT.top + PLOT.bottom) / 2}" y="16" text-anchor="middle">questions answered right (quality)</text>
${lines.join('\n')}
<text x="${PLOT.right + 24}" y="${PLOT.top - 6}">strategy (APGR)</text>
${legend.join('\n')}
</svg>
`;
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length] ?? '#57606a';
}

function range(from: number, to: number, step: number): readonly number[] {
  return Array.from({ length: Math.round((to - from) / step) + 1 }, (_, index) => from + index * step);
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
