import type { Registry } from '../config/registry.ts';
import type { RouterConfig } from '../config/schema.ts';
import type { DecisionOutcome } from '../decision/decision.ts';
import type { EndpointView } from '../execution/traffic.ts';
import type { Manifest } from '../ml/bundle.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { OutcomeStore } from '../outcomes/store.ts';
import type { PiiSearch } from '../signals/pii.ts';
import type { Encoder, Signals } from '../signals/signals.ts';

/** A text as the request path sees it. */
export interface TextDecision {
  readonly signals: Signals;
  readonly outcome: DecisionOutcome;
}

/** One thing that must work before traffic should come. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ready: boolean;
  /** What is missing, for people; no secrets. */
  readonly detail?: string;
}

/** The model that is loaded and how it runs. */
export interface LoadedModel {
  readonly manifest: Manifest;
  /** The execution provider that is in use: cpu or cuda. */
  readonly provider: string;
  readonly workers: number;
}

export type ActivateOutcome =
  | { readonly kind: 'activated'; readonly version: string }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** Envoy's answer to a poll: nothing new, or the DiscoveryResponse to send. */
export type ClustersAnswer = { readonly kind: 'unchanged' } | { readonly kind: 'clusters'; readonly response: unknown };

/** Who may use the management routes (access.ts decides with it). */
export interface AccessSettings {
  /** SWITCHYARD_ADMIN_TOKEN; null when it is not set. */
  readonly adminToken: string | null;
  /** The address that the API is bound to. */
  readonly host: string;
}

/** Everything that the API needs. Values that change with the config are functions. */
export interface ApiDependencies {
  /** Milliseconds of a clock that never goes back. */
  readonly clock: () => number;
  readonly now: () => Date;
  readonly registry: () => Registry;
  /** Null while the model is not loaded. */
  readonly encoder: () => Encoder | null;
  readonly model: () => LoadedModel | null;
  /** What the request path would decide for a chat request whose only message is `text`. */
  readonly decideText: (text: string, signal: AbortSignal) => Promise<TextDecision>;
  /** What the request path would do with a request of these headers (names in lower case), as `switchyard explain` prints it. */
  readonly explain: (body: Uint8Array, headers: ReadonlyMap<string, string>, signal: AbortSignal) => Promise<unknown>;
  /** Null where no detector of personal data is loaded. */
  readonly startPiiSearch: ((text: string) => PiiSearch) | null;
  /** Puts a changed config in force (source: api). */
  readonly activate: (config: RouterConfig) => Promise<ActivateOutcome>;
  readonly readiness: () => readonly ReadinessCheck[];
  /** Every address of every endpoint, and how it is. */
  readonly endpoints: () => readonly EndpointView[];
  /** The operator's grades. */
  readonly outcomes: OutcomeStore;
  readonly clusters: (knownVersion: string | null) => ClustersAnswer;
  readonly access: AccessSettings;
  readonly metrics: Metrics;
  readonly log: Log;
}
