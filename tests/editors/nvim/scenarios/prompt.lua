-- A prompt from a buffer that holds no config: the answer streams into a buffer of its own, and is
-- nowhere else.
local s = require('scenario')

local function ask(command)
  vim.cmd(command)
  local buffer = vim.api.nvim_get_current_buf()
  s.eventually('the end of the answer', function()
    return vim.b[buffer].ratls_prompt ~= 'running'
  end)
  return buffer
end

local function note(buffer)
  local namespace = vim.api.nvim_get_namespaces().ratls
  local mark = vim.api.nvim_buf_get_extmarks(buffer, namespace, 0, -1, { details = true })[1]
  return mark[4].virt_text[1][1]
end

vim.fn.histadd(':', 'RatlsPrompt tee What is a trust domain?')
local buffer = ask('RatlsPrompt tee What is a trust domain?')
s.equal(vim.b[buffer].ratls_prompt, 'done')
s.equal(s.text(buffer), '> What is a trust domain?\n\n' .. vim.env.REPLY)
s.contains(note(buffer), 'attested · https://localhost:')
s.contains(note(buffer), 'SIMULATED')
s.equal(vim.bo[buffer].swapfile, false)
s.equal(vim.bo[buffer].buftype, 'nofile')
s.equal(vim.fn.histget(':'), '')

-- The lines of a range follow the question; the other API answers in its own events.
vim.g.ratls_prompt = { model = 'simulated-llm', path = '/responses' }
buffer = ask('1,1RatlsPrompt tee Explain')
s.equal(s.text(buffer), '> Explain\n> \n> > What is a trust domain?\n\n' .. vim.env.REPLY)

-- Nothing reaches a provider that is not what it should be.
buffer = ask('RatlsPrompt attacked a secret')
s.equal(vim.b[buffer].ratls_prompt, 'failed')
s.contains(s.text(buffer), 'freshness')
buffer = ask('RatlsPrompt nobody a secret')
s.contains(s.text(buffer), 'no config has a provider nobody')
