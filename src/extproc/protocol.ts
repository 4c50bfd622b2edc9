/** The services of proto/, loaded once. The folder lies beside both src/ and dist/, so one relative path finds it from either. */
import { fileURLToPath } from 'node:url';
import type { MethodDefinition } from '@grpc/proto-loader';
import { loadSync } from '@grpc/proto-loader';
import type { WireRequest, WireResponse } from './wire-types.ts';

/** Name of the service that Envoy calls, and that its health check may ask about. */
export const EXT_PROC_SERVICE = 'envoy.service.ext_proc.v3.ExternalProcessor';

/** A decoded message with the bytes that it took on the wire: limits are checked against those. */
export interface Incoming {
  readonly message: WireRequest;
  readonly byteLength: number;
}

export interface HealthRequest {
  readonly service?: string;
}
export interface HealthResponse {
  readonly status: 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

interface Protocol {
  readonly extProc: { readonly Process: MethodDefinition<WireRequest, WireResponse, Incoming, WireResponse> };
  readonly health: {
    readonly Check: MethodDefinition<HealthRequest, HealthResponse>;
    readonly Watch: MethodDefinition<HealthRequest, HealthResponse>;
  };
}

let loaded: Protocol | undefined;

/** Reads the proto files at the first call. Throws when they are missing: a broken installation. */
export function loadProtocol(): Protocol {
  loaded ??= load();
  return loaded;
}

function load(): Protocol {
  const proto = (name: string): string => fileURLToPath(new URL(`../../proto/${name}`, import.meta.url));
  // Defaults stay absent (wire.ts fills them in) and enums are names: fewer objects a message, and answers that read like Envoy's documentation.
  const definitions = loadSync([proto('ext_proc.proto'), proto('health.proto')], {
    keepCase: true,
    enums: String,
    longs: Number,
    defaults: false,
    oneofs: true,
  }) as Record<string, unknown>;
  const extProc = definitions[EXT_PROC_SERVICE] as { Process: MethodDefinition<WireRequest, WireResponse> };
  const { Process } = extProc;
  const requestDeserialize = (bytes: Buffer): Incoming => ({
    message: Process.requestDeserialize(bytes),
    byteLength: bytes.byteLength,
  });
  return {
    extProc: { Process: { ...Process, requestDeserialize } as Protocol['extProc']['Process'] },
    health: definitions['grpc.health.v1.Health'] as Protocol['health'],
  };
}
