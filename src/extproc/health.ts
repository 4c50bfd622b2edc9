/** grpc.health.v1 for this process: what Envoy's grpc_health_check asks every second. */
import type { sendUnaryData, ServerUnaryCall, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { HealthRequest, HealthResponse } from './protocol.ts';
import { EXT_PROC_SERVICE } from './protocol.ts';

type Watcher = ServerWritableStream<HealthRequest, HealthResponse>;

/** Watchers beyond this are turned away: a health checker needs one a connection. */
const MAX_WATCHERS = 1024;

/** Serving state of the whole server ('' and the ext_proc service share it). Starts as not serving. */
export class Health {
  #serving = false;
  #closed = false;
  readonly #watchers = new Set<Watcher>();

  setServing(serving: boolean): void {
    if (this.#closed || serving === this.#serving) return;
    this.#serving = serving;
    for (const watcher of this.#watchers) watcher.write({ status: this.#status() });
  }

  /** Not serving from now on, and every Watch ends: an open one would keep its connection open. */
  close(): void {
    this.setServing(false);
    this.#closed = true;
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
  }

  readonly implementation: UntypedServiceImplementation = {
    Check: (call: ServerUnaryCall<HealthRequest, HealthResponse>, answer: sendUnaryData<HealthResponse>) => {
      if (isKnown(call.request)) answer(null, { status: this.#status() });
      else answer({ code: status.NOT_FOUND, details: 'unknown service' });
    },
    Watch: (call: Watcher) => {
      call.on('error', () => this.#watchers.delete(call));
      if (this.#closed || this.#watchers.size >= MAX_WATCHERS) {
        call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many watchers' });
        return;
      }
      const known = isKnown(call.request);
      call.write({ status: known ? this.#status() : 'SERVICE_UNKNOWN' });
      if (!known) return;
      this.#watchers.add(call);
      call.on('cancelled', () => this.#watchers.delete(call));
    },
  };

  #status(): HealthResponse['status'] {
    return this.#serving ? 'SERVING' : 'NOT_SERVING';
  }
}

function isKnown({ service }: HealthRequest): boolean {
  return service === undefined || service === '' || service === EXT_PROC_SERVICE;
}
