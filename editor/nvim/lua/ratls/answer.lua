-- The text in the parts of a streamed answer. Pure.

local M = {}

local function from_event(part)
  local read, data = pcall(vim.json.decode, part.data, { luanil = { object = true, array = true } })
  if not read or type(data) ~= 'table' then
    return '' -- the end mark of a chat completion, or a comment
  end
  if data.type == 'response.output_text.delta' then
    return data.delta or ''
  end
  local delta = vim.tbl_get(data, 'choices', 1, 'delta', 'content')
  if type(delta) == 'string' then
    return delta
  end
  local message = vim.tbl_get(data, 'error', 'message')
  return type(message) == 'string' and '\n\nThe provider reports: ' .. message or ''
end

--- The text that one part of an answer adds, of OpenAI's chat completions or responses.
function M.text(part)
  if part.kind == 'event' then
    return from_event(part)
  end
  return part.kind == 'chunk' and part.text or ''
end

--- The body of a request with this prompt, for the API that `path` names.
function M.request_body(path, model, prompt)
  if path:find('/responses$') then
    return { model = model, input = prompt, stream = true }
  end
  return { model = model, messages = { { role = 'user', content = prompt } }, stream = true }
end

return M
