-- A project's config causes no traffic while nobody vouched for its folder.
local s = require('scenario')

s.open(vim.env.PROJECT .. '/.codex/config.toml')
s.eventually('the status', function()
  return require('ratls').statusline() == 'tee untrusted'
end)
local notices = {}
vim.notify = function(text)
  notices[#notices + 1] = text
end
vim.cmd('RatlsAttest')
s.eventually('what to do', function()
  return notices[1]
end)
s.contains(notices[1], ':RatlsTrust')
vim.cmd('RatlsPrompt tee a secret')
s.eventually('the refusal', function()
  return vim.b.ratls_prompt == 'failed'
end)
s.contains(s.text(), ':RatlsTrust')
