-- A prompt over an attested connection, its answer streamed into a buffer.
--
-- Invariant: prompt and answer are in that buffer and nowhere else: no swap file, no undo file, no
-- history. When the buffer goes, so does the request.

local answer = require('ratls.answer')
local clients = require('ratls.client')
local status = require('ratls.status')

local M = {}

local namespace = vim.api.nvim_create_namespace('ratls')
local runs = {} -- by partial result token
local count = 0

local function append(run, text)
  if text == '' or not vim.api.nvim_buf_is_valid(run.buffer) then
    return
  end
  local last = vim.api.nvim_buf_line_count(run.buffer) - 1
  local line = vim.api.nvim_buf_get_lines(run.buffer, last, -1, false)[1]
  local added = vim.split(text, '\n', { plain = true })
  vim.bo[run.buffer].modifiable = true
  vim.api.nvim_buf_set_text(run.buffer, last, #line, last, #line, added)
  vim.bo[run.buffer].modifiable = false
  for _, window in ipairs(vim.fn.win_findbuf(run.buffer)) do
    if vim.api.nvim_win_get_cursor(window)[1] == last + 1 then
      vim.api.nvim_win_set_cursor(window, { last + #added, 0 })
    end
  end
end

local function note(run, text)
  if vim.api.nvim_buf_is_valid(run.buffer) then
    run.note = vim.api.nvim_buf_set_extmark(run.buffer, namespace, 0, 0, {
      id = run.note,
      virt_text = { { text, 'Comment' } },
    })
  end
end

local function finish(run, state)
  runs[run.token] = nil
  if vim.api.nvim_buf_is_valid(run.buffer) then
    vim.b[run.buffer].ratls_prompt = state
  end
end

local function fail(run, err)
  note(run, 'not answered')
  append(run, '\n' .. clients.explain(err) .. '\n')
  finish(run, 'failed')
end

local function head(run, part)
  local words = { 'attested', part.attestation.origin }
  vim.list_extend(words, status.remarks(part.attestation))
  if part.status >= 400 then
    words[#words + 1] = 'HTTP ' .. part.status
  end
  note(run, table.concat(words, ' · '))
end

local function send(run, params, on_result)
  params.provider, params.uri = run.provider, run.uri
  run.id = clients.request(run.client, 'attestedRequest', params, function(err, result)
    if not runs[run.token] then
      return -- cancelled
    elseif err then
      fail(run, err)
    else
      on_result(result)
    end
  end, run.origin)
  if not run.id then
    fail(run, { message = 'the language server is gone' })
  end
end

--- Hand `use` the model to ask: that of vim.g.ratls_prompt, else the first that the provider lists.
local function with_model(run, configured, use)
  if configured then
    return use(configured)
  end
  send(run, { path = '/models' }, function(result)
    local model = vim.tbl_get(result, 'body', 'data', 1, 'id')
    if type(model) == 'string' then
      return use(model)
    end
    fail(run, { message = 'the provider lists no model; set vim.g.ratls_prompt = { model = … }' })
  end)
end

local function new_buffer(provider, prompt)
  local buffer = vim.api.nvim_create_buf(true, true)
  vim.api.nvim_buf_set_name(buffer, ('ratls://%s/%d'):format(provider, count))
  vim.bo[buffer].undolevels = -1
  vim.bo[buffer].filetype = 'markdown'
  local lines = vim.tbl_map(function(line)
    return '> ' .. line
  end, vim.split(prompt, '\n', { plain = true }))
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.list_extend(lines, { '', '' }))
  vim.bo[buffer].modifiable = false
  return buffer
end

--- Ask `provider`. Returns the buffer that the answer comes into; its variable `ratls_prompt` says
--- running, done, failed or cancelled. CTRL-C in it cancels, as does unloading it.
function M.ask(provider, prompt)
  local origin = vim.api.nvim_get_current_buf()
  local client, uri = clients.of(origin)
  if not client then
    vim.notify('ratls: ' .. uri, vim.log.levels.ERROR)
    return nil
  end
  count = count + 1
  local run = {
    token = 'ratls-prompt-' .. count,
    provider = provider,
    client = client,
    uri = uri,
    origin = origin,
    buffer = new_buffer(provider, prompt),
  }
  runs[run.token] = run
  vim.b[run.buffer].ratls_prompt = 'running'
  note(run, 'attesting …')
  local function cancel()
    M.cancel(run.buffer)
  end
  vim.api.nvim_create_autocmd('BufUnload', { buffer = run.buffer, callback = cancel })
  vim.keymap.set('n', '<C-c>', cancel, { buffer = run.buffer, desc = 'Cancel the prompt' })
  vim.cmd('sbuffer ' .. run.buffer)
  vim.cmd('normal! G')
  local options = vim.g.ratls_prompt or {}
  local path = options.path or '/chat/completions'
  with_model(run, options.model, function(model)
    local body = answer.request_body(path, model, prompt)
    send(run, { path = path, body = body, partialResultToken = run.token }, function()
      finish(run, 'done')
    end)
  end)
  return run.buffer
end

--- Cancel what still streams into `buffer`. The server closes the connection at once.
function M.cancel(buffer)
  for _, run in pairs(runs) do
    if run.buffer == buffer then
      finish(run, 'cancelled')
      note(run, 'cancelled')
      clients.cancel(run.client, run.id)
      return
    end
  end
end

--- Take in a `$/progress` notification. False if it is not one of ours.
function M.progress(params)
  local run = runs[params.token]
  if not run then
    return type(params.token) == 'string' and params.token:find('^ratls%-prompt%-') ~= nil
  end
  if params.value.kind == 'head' then
    head(run, params.value)
  else
    append(run, answer.text(params.value))
  end
  return true
end

return M
