/** The upstream filter that notes what became of each attempt, where a retry, the answer's headers and the log can read it. */
import {
  ATTEMPTS_NAMESPACE,
  DESTINATION_ENDPOINT,
  ENVOY_ATTEMPT_COUNT,
  FIRST_ENDPOINT,
  LARGER_ENDPOINT,
  LARGER_KEY,
  LAST_ERROR_KEY,
  LOAD_BALANCER_NAMESPACE,
  SWITCHYARD_CONTEXT_LENGTH,
} from '../rewrite/headers.ts';
import { extension, type JsonObject } from './xds.ts';

/** A larger error body is passed on unread: no endpoint needs so much to say what is wrong. */
const MAX_ERROR_BYTES = 65_536;
/** A larger one is not remembered: it travels to the router with every later message about the request. */
const MAX_KEPT_BYTES = 16_384;

/**
 * The namespace has one entry for each attempt, by its number: `START` (Unix milliseconds) while it has no answer, then
 * `START END STATUS RETRY_AFTER CAUSE`, with `-` for what there is not. `n` is the number of the last one. execution/attempts.ts reads it.
 *
 * A prompt that is too long for one model may fit another, but the 400 that says so looks like every other 400 to Envoy: the header marks
 * it, and the router's `x-envoy-retriable-header-names` says for which requests that is worth another attempt. At the first attempt it also
 * puts the targets with a larger window in the place of the plan's others: Envoy reads that list when it chooses the second host, since the
 * fallback filter took the first one out of it (envoy/fallback-lua.ts). Where that filter did not, the list is read and stays; `larger` says which.
 *
 * `error` holds the last error that might be tried again, as four lines: attempt, Retry-After, content type, body in base64. Envoy gives
 * such an answer up for the next attempt, and should that one have none at all, this is what the client is told.
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
local function body_of(handle)
  local bytes = tonumber(handle:headers():get("content-length") or "")
  if bytes == nil or bytes == 0 or bytes > ${MAX_ERROR_BYTES} then return "" end
  local body = handle:body()
  if body == nil then return "" end
  return body:getBytes(0, body:length())
end

local function is_context_length(text)
  for _, pattern in ipairs(PATTERNS) do
    if string.find(text, pattern, 1, true) ~= nil then return true end
  end
  return false
end

-- A header's value, where it can stand in metadata, which is UTF-8.
local function plain(value)
  return value ~= nil and #value <= 128 and string.find(value, "^[\32-\126]*$") ~= nil and value or ""
end

local function keep(handle, metadata, attempt, text)
  local headers = handle:headers()
  local coding = headers:get("content-encoding")
  if #text > ${MAX_KEPT_BYTES} or (coding ~= nil and coding ~= "identity") then text = "" end
  local lines = { attempt, plain(headers:get("retry-after")), plain(headers:get("content-type")), handle:base64Escape(text) }
  metadata:set(NAMESPACE, "${LAST_ERROR_KEY}", table.concat(lines, "\n"))
end

function envoy_on_response(handle)
  local status = handle:headers():get(":status") or "-"
  local wait = string.match(handle:headers():get("retry-after") or "", "^%d+$") or "-"
  local finish = handle:timestampString(EnvoyTimestampResolution.MILLISECOND)
  local cause = "-"
  handle:headers():remove("${SWITCHYARD_CONTEXT_LENGTH}")
  local is_repeatable = status == "429" or string.sub(status, 1, 1) == "5"
  local text = (is_repeatable or status == "400") and body_of(handle) or ""
  if status == "400" and is_context_length(text) then
    cause = "context_length"
    is_repeatable = true
    handle:headers():add("${SWITCHYARD_CONTEXT_LENGTH}", "1")
  end
  local metadata = handle:streamInfo():dynamicMetadata()
  local seen = metadata:get(NAMESPACE)
  local attempt = seen and seen["n"]
  local start = attempt and seen[attempt]
  if start == nil then return end
  metadata:set(NAMESPACE, attempt, start .. " " .. finish .. " " .. status .. " " .. wait .. " " .. cause)
  if is_repeatable then keep(handle, metadata, attempt, text) end
  if cause == "context_length" and attempt == "1" then
    local lb = metadata:get("${LOAD_BALANCER_NAMESPACE}")
    local larger = lb and lb["${FIRST_ENDPOINT}"] and lb["${LARGER_ENDPOINT}"]
    if larger == nil then return end
    metadata:set("${LOAD_BALANCER_NAMESPACE}", "${DESTINATION_ENDPOINT}", larger)
    metadata:set(NAMESPACE, "${LARGER_KEY}", "1")
  end
end
`;

/** The filter; it comes first of the upstream filters, so that it sees every attempt begin. */
export function attemptsFilter(): JsonObject {
  return extension('switchyard.attempts', 'envoy.extensions.filters.http.lua.v3.Lua', {
    default_source_code: { inline_string: SCRIPT },
  });
}
