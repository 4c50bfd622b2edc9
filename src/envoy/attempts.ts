/** The upstream filter that notes what became of each attempt, where a retry, the answer's headers and the log can read it. */
import { ATTEMPTS_NAMESPACE, ENVOY_ATTEMPT_COUNT, SWITCHYARD_CONTEXT_LENGTH } from '../rewrite/headers.ts';
import { extension, type JsonObject } from './xds.ts';

/** A larger error body is passed on unread: no endpoint needs so much to say that a prompt is too long. */
const MAX_ERROR_BYTES = 65_536;

/**
 * The namespace has one entry for each attempt, by its number: `START` (Unix milliseconds) while it has no answer, then
 * `START END STATUS RETRY_AFTER CAUSE`, with `-` for what there is not. `n` is the number of the last one. execution/attempts.ts reads it.
 *
 * A prompt that is too long for one model may fit another, but the 400 that says so looks like every other 400 to Envoy: the header marks
 * it, and the router's `x-envoy-retriable-header-names` says for which requests that is worth another attempt.
 */
const SCRIPT = String.raw`
local NAMESPACE = "${ATTEMPTS_NAMESPACE}"
local PATTERNS = { "context_length_exceeded", "maximum context length", "maximum model length", "max_model_len",
  "model's context length", "available context size" }

function envoy_on_request(handle)
  local attempt = handle:headers():get("${ENVOY_ATTEMPT_COUNT}") or "1"
  local metadata = handle:streamInfo():dynamicMetadata()
  metadata:set(NAMESPACE, "n", attempt)
  metadata:set(NAMESPACE, attempt, handle:timestampString(EnvoyTimestampResolution.MILLISECOND))
end

-- Waits for the body: what was taken from the handle before may not be used afterwards.
local function is_context_length(handle)
  local bytes = tonumber(handle:headers():get("content-length") or "")
  if bytes == nil or bytes == 0 or bytes > ${MAX_ERROR_BYTES} then return false end
  local body = handle:body()
  if body == nil then return false end
  local text = body:getBytes(0, body:length())
  for _, pattern in ipairs(PATTERNS) do
    if string.find(text, pattern, 1, true) ~= nil then return true end
  end
  return false
end

function envoy_on_response(handle)
  local status = handle:headers():get(":status") or "-"
  local wait = string.match(handle:headers():get("retry-after") or "", "^%d+$") or "-"
  local finish = handle:timestampString(EnvoyTimestampResolution.MILLISECOND)
  local cause = "-"
  handle:headers():remove("${SWITCHYARD_CONTEXT_LENGTH}")
  if status == "400" and is_context_length(handle) then
    cause = "context_length"
    handle:headers():add("${SWITCHYARD_CONTEXT_LENGTH}", "1")
  end
  local metadata = handle:streamInfo():dynamicMetadata()
  local seen = metadata:get(NAMESPACE)
  local attempt = seen and seen["n"]
  local start = attempt and seen[attempt]
  if start == nil then return end
  metadata:set(NAMESPACE, attempt, start .. " " .. finish .. " " .. status .. " " .. wait .. " " .. cause)
end
`;

/** The filter; it comes first of the upstream filters, so that it sees every attempt begin. */
export function attemptsFilter(): JsonObject {
  return extension('switchyard.attempts', 'envoy.extensions.filters.http.lua.v3.Lua', {
    default_source_code: { inline_string: SCRIPT },
  });
}
