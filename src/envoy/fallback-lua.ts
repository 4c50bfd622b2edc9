/**
 * The fixed part of the fallback script. It finds the top-level `model` of a JSON body without parsing the rest: strings are
 * jumped over by searching their closing quote, nested values by counting brackets, so 32 MiB cost milliseconds. Like JSON parsers it
 * lets the last of several `model` keys decide; it rewrites them all.
 */
export const FALLBACK_LUA = String.raw`
local byte, find, sub, match, char = string.byte, string.find, string.sub, string.match, string.char
local QUOTE, BACKSLASH, COMMA, COLON = 34, 92, 44, 58
local OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE = 91, 93, 123, 125
local MAX_NAME = 4096

-- The first position at or after i that is not white space.
local function skip_space(text, i)
  return find(text, "[^ \t\r\n]", i) or #text + 1
end

-- The position of the quote that ends the string opened at i, or nil.
local function string_end(text, i)
  local at = i
  while true do
    at = find(text, '"', at + 1, true)
    if at == nil then return nil end
    local before = at - 1
    while byte(text, before) == BACKSLASH do before = before - 1 end
    if (at - before) % 2 == 1 then return at end
  end
end

-- The position of the last byte of the value that starts at i, or nil.
local function value_end(text, i)
  local first = byte(text, i)
  if first == QUOTE then return string_end(text, i) end
  if first ~= OPEN_BRACE and first ~= OPEN_BRACKET then
    local stop = find(text, "[],} \t\r\n]", i)
    if stop == nil or stop == i then return nil end
    return stop - 1
  end
  local depth, at, size = 0, i, #text
  while at <= size do
    local c = byte(text, at)
    if c == QUOTE then
      at = string_end(text, at)
      if at == nil then return nil end
    elseif c == OPEN_BRACE or c == OPEN_BRACKET then
      depth = depth + 1
    elseif c == CLOSE_BRACE or c == CLOSE_BRACKET then
      depth = depth - 1
      if depth == 0 then return at end
    end
    at = at + 1
  end
  return nil
end

local function utf8(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64, 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local ESCAPES = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

-- What a JSON string literal without its quotes means, or nil when it is not valid.
local function decode(literal)
  if not find(literal, "\\", 1, true) then return literal end
  if #literal > MAX_NAME then return nil end
  local out, i = {}, 1
  while i <= #literal do
    local c = sub(literal, i, i)
    if c ~= "\\" then
      out[#out + 1] = c
      i = i + 1
    elseif sub(literal, i + 1, i + 1) == "u" then
      local code = tonumber(match(literal, "^%x%x%x%x", i + 2) or "", 16)
      if code == nil then return nil end
      i = i + 6
      if code >= 0xD800 and code < 0xDC00 then
        local low = tonumber(match(literal, "^\\u(%x%x%x%x)", i) or "", 16)
        if low ~= nil and low >= 0xDC00 and low < 0xE000 then
          code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00)
          i = i + 6
        end
      end
      out[#out + 1] = utf8(code)
    else
      local plain = ESCAPES[sub(literal, i + 1, i + 1)]
      if plain == nil then return nil end
      out[#out + 1] = plain
      i = i + 2
    end
  end
  return table.concat(out)
end

-- { first, last } of the value of every top-level "model" key, or nil when the body is not one JSON object.
local function model_spans(text)
  local i = skip_space(text, 1)
  if byte(text, i) ~= OPEN_BRACE then return nil end
  i = skip_space(text, i + 1)
  local spans = {}
  local closed = byte(text, i) == CLOSE_BRACE
  while not closed do
    if byte(text, i) ~= QUOTE then return nil end
    local key_end = string_end(text, i)
    if key_end == nil then return nil end
    -- Every letter of "model" may be written as a \u escape of six bytes.
    local is_model = key_end - i - 1 <= 30 and decode(sub(text, i + 1, key_end - 1)) == "model"
    i = skip_space(text, key_end + 1)
    if byte(text, i) ~= COLON then return nil end
    i = skip_space(text, i + 1)
    local last = value_end(text, i)
    if last == nil then return nil end
    if is_model then spans[#spans + 1] = { i, last } end
    i = skip_space(text, last + 1)
    local c = byte(text, i)
    if c == COMMA then
      i = skip_space(text, i + 1)
    elseif c == CLOSE_BRACE then
      closed = true
    else
      return nil
    end
  end
  if skip_space(text, i + 1) <= #text then return nil end
  return spans
end

local function name_at(text, span)
  if byte(text, span[1]) ~= QUOTE then return nil end
  return decode(sub(text, span[1] + 1, span[2] - 1))
end

-- The body with every model value that is not already the served name replaced by it, or nil when nothing changes.
local function with_model(text, spans, model)
  local out, from = {}, 1
  for _, span in ipairs(spans) do
    if name_at(text, span) ~= model.served then
      out[#out + 1] = sub(text, from, span[1] - 1)
      out[#out + 1] = model.served_json
      from = span[2] + 1
    end
  end
  if from == 1 then return nil end
  out[#out + 1] = sub(text, from)
  return table.concat(out)
end

-- One of the model's groups, drawn by weight.
local function pick(groups)
  local total = 0
  for _, group in ipairs(groups) do total = total + group.weight end
  local point = math.random() * total
  for _, group in ipairs(groups) do
    point = point - group.weight
    if point < 0 then return group end
  end
  return groups[#groups]
end

local function refuse(handle, status, kind, code, message, param, name, value)
  local field = param and '"' .. param .. '"' or "null"
  local body = '{"error":{"message":"' .. message .. '","type":"' .. kind .. '","param":' .. field .. ',"code":"' .. code .. '"}}'
  local headers = { [":status"] = tostring(status), ["content-type"] = "application/json" }
  if name ~= nil then headers[name] = value end
  handle:respond(headers, body)
end

local function unavailable(handle, code, message)
  refuse(handle, 503, "server_error", code, message, nil)
end

-- Only such a body is read here; forms are the router's.
local function is_json(headers)
  local kind = headers:get("content-type")
  return kind == nil or find(kind, "json", 1, true) ~= nil
end

-- Nobody reads a compressed body here, neither the router nor we.
local function is_compressed(headers)
  local coding = headers:get("content-encoding")
  return coding ~= nil and coding ~= "" and string.lower(coding) ~= "identity"
end

-- Paths that a model answers take nothing but POST.
local POST_ONLY = { ["/v1/chat/completions"] = true, ["/v1/completions"] = true, ["/v1/embeddings"] = true }
local function takes_method(headers)
  local path = match(headers:get(":path") or "", "^[^?]*")
  -- Not by a pattern: one that ends in slashes is quadratic on a path of slashes.
  local last = #path
  while byte(path, last) == 47 do last = last - 1 end
  return headers:get(":method") == "POST" or not POST_ONLY[sub(path, 1, last)]
end

-- "The model x": the name as the client wrote it, where that is short and can stand inside a JSON string.
local function the_model(text, span)
  local literal = sub(text, span[1] + 1, span[2] - 1)
  if #literal > 200 or find(literal, "%c") then return "The model" end
  return "The model ${'`'}" .. literal .. "${'`'}"
end

-- Envoy reads the list of endpoints once, when it first looks for one. Where the later ones depend on how the first one answers, that one
-- is chosen here and taken off the list, so that the list is read at the second attempt.
local function first_apart(handle)
  local metadata = handle:streamInfo():dynamicMetadata()
  local lb = metadata:get("envoy.lb")
  local list = lb and lb["x-gateway-destination-endpoint"]
  local comma = list and find(list, ",", 1, true)
  if comma == nil then return end
  handle:setUpstreamOverrideHost(sub(list, 1, comma - 1))
  metadata:set("envoy.lb", "x-gateway-destination-endpoint", sub(list, comma + 1))
  metadata:set("envoy.lb", "x-switchyard-first-endpoint", sub(list, 1, comma - 1))
end

function envoy_on_request(handle)
  if handle:headers():get("x-switchyard-decision") ~= nil then
    if handle:headers():get("x-envoy-retriable-header-names") ~= nil then first_apart(handle) end
    return
  end

  if not takes_method(handle:headers()) then
    return refuse(handle, 405, "invalid_request_error", "method_not_supported", "This path takes POST alone.", nil, "allow", "POST")
  end

  -- Waits for the whole body; what was fetched from the handle before is void after it.
  local body = handle:body()
  local headers = handle:headers()
  if body == nil or body:length() == 0 then
    return refuse(handle, 404, "invalid_request_error", "not_found", "There is nothing to route at this path.", nil)
  end
  local text = body:getBytes(0, body:length())
  local spans = model_spans(text)
  if spans == nil and is_compressed(headers) then
    return refuse(handle, 415, "invalid_request_error", "unsupported_content_encoding", "The body of your request is compressed (Content-Encoding), which is not supported here. Allowed: identity. Send the body as it is.", nil, "accept-encoding", "identity")
  end
  if spans == nil and not is_json(headers) then
    return unavailable(handle, "router_unavailable", "The router, which reads this kind of body, is not available. Try again.")
  end
  if spans == nil then
    return refuse(handle, 400, "invalid_request_error", "invalid_json", "The request body is not a JSON object.", nil)
  end
  local deciding = spans[#spans]
  local name = deciding and name_at(text, deciding)
  if name == nil then
    return refuse(handle, 400, "invalid_request_error", "invalid_model", "model must be a string: the name of a model.", "model")
  end

  local model_name = name
  if ALIASES[name] then
    if not FAIL_OPEN then
      return unavailable(handle, "router_unavailable", "The router that chooses the model is not available. Try again, or name a model.")
    end
    model_name = DEFAULT_MODEL
  end
  local model = MODELS[model_name]
  if model == nil then
    return refuse(handle, 404, "invalid_request_error", "model_not_found", the_model(text, deciding) .. " does not exist.", "model")
  end
  if model.guarded and not FAIL_OPEN then
    return unavailable(handle, "router_unavailable", "The router that checks requests for this model is not available. Try again.")
  end
  local group = pick(model.groups)
  if group == nil then
    return unavailable(handle, "model_unavailable", the_model(text, deciding) .. " is served by no endpoint at the moment.")
  end
  if group.key_env ~= nil then
    local key = os.getenv(group.key_env)
    if key == nil or key == "" then
      handle:logErr("the router is not available, and Envoy's environment has no " .. group.key_env .. " to reach the endpoint with")
      return unavailable(handle, "router_unavailable", "The router is not available, and this model cannot be reached without it.")
    end
    headers:replace("authorization", "Bearer " .. key)
  elseif STRIP_AUTHORIZATION then
    headers:remove("authorization")
  end

  local changed = with_model(text, spans, model)
  if changed ~= nil then
    local size = body:setBytes(changed)
    if headers:get("content-length") ~= nil then headers:replace("content-length", tostring(size)) end
  end
  local told = handle:streamInfo():dynamicMetadata()
  told:set("switchyard.fallback", "decision", "fallback")
  told:set("switchyard.fallback", "model", model_name)
  headers:replace("x-switchyard-fallback", group.cluster)
end
`;
