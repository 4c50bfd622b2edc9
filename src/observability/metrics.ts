import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { MetricDefinition } from './metric-definition.ts';
import { METRICS } from './metrics-table.ts';

type Row = (typeof METRICS)[number];
type NameOf<Type extends MetricDefinition['type']> = Extract<Row, { type: Type }>['name'];
type LabelNames<Name extends Row['name']> = Extract<Row, { name: Name }>['labels'][number];
type Labels<Name extends Row['name']> = Readonly<Record<LabelNames<Name>, string>>;
/** Labels are left out where the metric has none. */
type LabelArguments<Name extends Row['name']> = [LabelNames<Name>] extends [never] ? [] : [labels: Labels<Name>];

/** One series of a gauge. */
interface GaugeReading<Name extends Row['name']> {
  readonly labels: Labels<Name>;
  readonly value: number;
}

/** The process's metrics. Names and labels are checked by the compiler against the table. */
export interface Metrics {
  inc<Name extends NameOf<'counter'>>(name: Name, ...labels: LabelArguments<Name>): void;
  /** Adds `amount` (≥ 0; anything else is ignored: a counter never goes down). */
  add<Name extends NameOf<'counter'>>(name: Name, amount: number, ...labels: LabelArguments<Name>): void;
  /** Observes a value in the unit that the name ends in; what is not a finite number is ignored. */
  observe<Name extends NameOf<'histogram'>>(name: Name, value: number, ...labels: LabelArguments<Name>): void;
  set<Name extends NameOf<'gauge'>>(name: Name, value: number, ...labels: LabelArguments<Name>): void;
  /** Moves a gauge without labels by `delta`. */
  shift(name: NameOf<'gauge'>, delta: number): void;
  /** Reads a gauge without labels from `read` at each scrape. */
  gauge(name: NameOf<'gauge'>, read: () => number): void;
  /** Reads all series of a gauge from `read` at each scrape; those that it no longer gives are gone. */
  gaugeSeries<Name extends NameOf<'gauge'>>(name: Name, read: () => readonly GaugeReading<Name>[]): void;
  /** Removes all series of a gauge: for info gauges whose label value changed. */
  clear(name: NameOf<'gauge'>): void;
  /** The exposition and its content type. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface MetricsOptions {
  /** Adds prom-client's process and event-loop metrics (process_*, nodejs_*). */
  readonly processMetrics: boolean;
}

/** Builds a registry of its own with every row of the table: two of them in one process do not meet. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const readers = new Map<string, (gauge: Gauge) => void>();

  for (const row of METRICS as readonly MetricDefinition[]) {
    const common = { name: row.name, help: row.help, labelNames: [...row.labels], registers: [registry] };
    switch (row.type) {
      case 'counter':
        counters.set(row.name, new Counter(common));
        break;
      case 'gauge':
        gauges.set(
          row.name,
          new Gauge({
            ...common,
            collect() {
              readers.get(row.name)?.(this);
            },
          }),
        );
        break;
      case 'histogram':
        histograms.set(row.name, new Histogram({ ...common, buckets: [...(row.buckets ?? [])] }));
        break;
    }
  }

  return {
    inc: (name, ...labels) => counters.get(name)?.inc(labels[0] ?? {}, 1),
    add: (name, amount, ...labels) => {
      if (amount >= 0 && Number.isFinite(amount)) counters.get(name)?.inc(labels[0] ?? {}, amount);
    },
    observe: (name, value, ...labels) => {
      if (Number.isFinite(value)) histograms.get(name)?.observe(labels[0] ?? {}, value);
    },
    set: (name, value, ...labels) => gauges.get(name)?.set(labels[0] ?? {}, value),
    shift: (name, delta) => gauges.get(name)?.inc(delta),
    gauge: (name, read) => {
      readers.set(name, (gauge) => gauge.set(read()));
    },
    gaugeSeries: (name, read) => {
      readers.set(name, (gauge) => {
        gauge.reset();
        for (const { labels, value } of read()) gauge.set(labels, value);
      });
    },
    clear: (name) => gauges.get(name)?.reset(),
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
