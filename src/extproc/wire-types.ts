/** Protobuf messages as proto-loader makes and takes them: field names as in proto/ext_proc.proto, absent fields undefined. */
/** google.protobuf.Struct: camelCase, even where the loader keeps the case of everything else. */
export interface WireStruct {
  readonly fields?: Readonly<Record<string, WireValue>>;
}
export interface WireValue {
  readonly kind?: string;
  readonly nullValue?: unknown;
  readonly numberValue?: number;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly structValue?: WireStruct;
  readonly listValue?: { readonly values?: readonly WireValue[] };
}
interface WireHeader {
  readonly key?: string;
  readonly value?: string;
  readonly raw_value?: Uint8Array;
}
export interface WireHeaderMap {
  readonly headers?: readonly WireHeader[];
}
export interface WireHttpHeaders {
  readonly headers?: WireHeaderMap;
  readonly end_of_stream?: boolean;
}
export interface WireHttpBody {
  readonly body?: Uint8Array;
  readonly end_of_stream?: boolean;
}
/** A ProcessingRequest; `request` names the member of the oneof that is set. */
export interface WireRequest {
  readonly request?: string;
  readonly request_headers?: WireHttpHeaders;
  readonly response_headers?: WireHttpHeaders;
  readonly request_body?: WireHttpBody;
  readonly response_body?: WireHttpBody;
  readonly request_trailers?: { readonly trailers?: WireHeaderMap };
  readonly response_trailers?: { readonly trailers?: WireHeaderMap };
  readonly metadata_context?: { readonly filter_metadata?: Readonly<Record<string, WireStruct>> };
  readonly attributes?: Readonly<Record<string, WireStruct>>;
  readonly observability_mode?: boolean;
  readonly protocol_config?: { readonly request_body_mode?: string | number };
}

interface WireHeaderOption {
  readonly header: { readonly key: string; readonly raw_value: Uint8Array };
  readonly append_action: 'OVERWRITE_IF_EXISTS_OR_ADD';
}
export interface WireHeaderMutation {
  readonly set_headers?: readonly WireHeaderOption[];
  readonly remove_headers?: readonly string[];
}
export interface WireCommon {
  readonly status?: 'CONTINUE_AND_REPLACE';
  readonly header_mutation?: WireHeaderMutation;
  readonly body_mutation?: { readonly body: Uint8Array } | { readonly clear_body: true };
  readonly clear_route_cache?: true;
}
/** A ProcessingResponse: one member of the oneof, and what may travel beside it. */
export interface WireResponse {
  readonly request_headers?: { readonly response: WireCommon };
  readonly response_headers?: { readonly response: WireCommon };
  readonly request_body?: { readonly response: WireCommon };
  readonly response_body?: { readonly response: WireCommon };
  readonly request_trailers?: { readonly header_mutation?: WireHeaderMutation };
  readonly response_trailers?: { readonly header_mutation?: WireHeaderMutation };
  readonly immediate_response?: {
    readonly status: { readonly code: number };
    readonly headers: WireHeaderMutation;
    readonly body: Uint8Array;
    readonly details: string;
  };
  readonly dynamic_metadata?: WireStruct;
  readonly mode_override?: Readonly<Record<string, string>>;
}
