-- Completion, hover and code actions, as somebody who types.
local s = require('scenario')

local buffer = s.open()
s.diagnostic('attestation-affirmed')

-- A key that is not set yet, by CTRL-X CTRL-O.
vim.bo.omnifunc = 'v:lua.vim.lsp.omnifunc' -- the default since 0.8
s.go_to('wire_api')
s.type('ostream_idle<C-x><C-o>')
s.eventually('the completion', function()
  return s.text(buffer):find('\nstream_idle_timeout_ms', 1, true)
end)
s.type('<C-e><Esc>')
s.eventually('normal mode', function()
  return vim.api.nvim_get_mode().mode == 'n'
end)
vim.cmd('silent undo')

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
