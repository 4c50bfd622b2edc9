/** One header to set; `value` is written as raw bytes. */
export interface HeaderEdit {
  readonly name: string;
  readonly value: string;
}

/** Everything that Envoy is told to change for one request. Body null: leave the body alone. */
export interface Mutations {
  readonly body: Uint8Array | null;
  readonly setHeaders: readonly HeaderEdit[];
  readonly removeHeaders: readonly string[];
  /** Dynamic metadata by namespace, e.g. `envoy.lb` → { 'x-gateway-destination-endpoint': 'ip:port,ip:port' }. */
  readonly metadata: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
