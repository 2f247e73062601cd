-- Completion, hover and code actions, as somebody who types.
local s = require('scenario')

local buffer = s.open()
s.diagnostic('attestation-affirmed')

-- By CTRL-X CTRL-O: a key that is not set yet, values in quotes that an editor closes or not, a header.
vim.bo.omnifunc = 'v:lua.vim.lsp.omnifunc' -- the default since 0.8
local MEASURED = vim.env.MRTD
for _, case in ipairs({
  { 'stream_idle', 'stream_idle_timeout_ms' },
  { 'wire_api = "', 'wire_api = "chat"' },
  { 'wire_api = ""<Left>', 'wire_api = "chat"' },
  { "wire_api = 'r", "wire_api = 'responses'" },
  { 'wire_api = "c"<Left>', 'wire_api = "chat"' },
  { 'model_provider = "', 'model_provider = "plain"', 'ggO' },
  { 'ratls_policy.allowed_tdx_status = ["', 'ratls_policy.allowed_tdx_status = ["UpToDate"' },
  {
    'ratls_policy.allowed_tdx_status = ["UpToDate", "SW"]<Left><Left>',
    'ratls_policy.allowed_tdx_status = ["UpToDate", "SWHardeningNeeded"]',
  },
  {
    'ratls_policy.pccs_url = "https://api.tr',
    'ratls_policy.pccs_url = "https://api.trustedservices.intel.com/tdx/certification/v4"',
  },
  {
    'ratls_policy.expected_bootchain.mrtd = "' .. MEASURED:sub(1, 3),
    'ratls_policy.expected_bootchain.mrtd = "' .. MEASURED .. '"',
  },
  { '[model_providers.tee.http', '[model_providers.tee.http_headers]' },
}) do
  local typed, wanted, line_for_it = unpack(case)
  s.go_to('wire_api')
  s.type((line_for_it or 'o') .. typed .. '<C-x><C-o>')
  s.eventually(typed .. ' completed to ' .. wanted, function()
    local line = vim.api.nvim_get_current_line()
    return line == wanted or line == wanted .. ' = '
  end)
  s.type('<C-e><Esc>')
  s.eventually('normal mode', function()
    return vim.api.nvim_get_mode().mode == 'n'
  end)
  vim.cmd('silent undo')
end

-- What a value means, in a floating window.
s.go_to('allowed_tdx_status')
vim.lsp.buf.hover()
local float = s.eventually('the hover', function()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= '' then
      return window
    end
  end
end)
s.contains(s.text(vim.api.nvim_win_get_buf(float)), 'TCB')
vim.api.nvim_win_close(float, true)

-- A quick fix, behind characters that are not ASCII.
vim.ui.select = function(items, options, on_choice)
  for index, item in ipairs(items) do
    if options.format_item(item):find('base_url', 1, true) then
      return on_choice(item, index)
    end
  end
  error('no such action: ' .. vim.inspect(items))
end
s.go_to('base_ulr', 2)
vim.lsp.buf.code_action()
s.eventually('the fix', function()
  return s.text(buffer):find('name = "Ünïcode 😀", base_url = "https://plain.example"', 1, true)
end)
