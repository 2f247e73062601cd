-- A prompt is cancelled while its answer streams, by key and by closing its buffer.
local s = require('scenario')

local function ask()
  vim.cmd('RatlsPrompt tee Tell me everything')
  local buffer = vim.api.nvim_get_current_buf()
  s.eventually('the first words', function()
    return s.text(buffer):find('Once upon a time', 1, true)
  end)
  return buffer
end

local function cancelled(number)
  local client = s.client()
  s.eventually("the server's answer", function()
    return vim.tbl_isempty(client.requests)
  end)
  s.eventually('the end of the connection', function()
    return vim.fn.filereadable(('%s/closed-%d'):format(vim.env.HOME, number)) == 1
  end)
end

local buffer = ask()
local keys = vim.api.nvim_replace_termcodes('<C-c>', true, false, true)
vim.api.nvim_feedkeys(keys, 'x', false) -- as input, it would interrupt the scenario
s.equal(vim.b[buffer].ratls_prompt, 'cancelled')
s.contains(s.text(buffer), 'Once upon a time')
cancelled(1)

vim.cmd('bwipeout! ' .. ask())
cancelled(2)
