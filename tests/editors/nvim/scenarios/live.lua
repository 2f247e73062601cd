-- Live status: in diagnostics, in the status line, and on demand.
local s = require('scenario')

local told = 0
vim.api.nvim_create_autocmd('User', {
  pattern = 'RatlsStatus',
  callback = function()
    told = told + 1
  end,
})
s.open()
local affirmed = s.diagnostic('attestation-affirmed')
s.contains(affirmed.message, 'SIMULATED')
local rejected = s.diagnostic('attestation-rejected')
s.equal(rejected.severity, vim.diagnostic.severity.ERROR)
s.eventually('both in the status line', function()
  return require('ratls').statusline() == 'tee ✓ SIMULATED  attacked ✗'
end)
assert(told > 0)

-- What Intel knows against a platform is told in the status line, too.
local advised = { provider = 'tee', state = 'affirmed' }
for number, words in ipairs({ '1 advisory', '2 advisories' }) do
  local ids = vim.fn['repeat']({ 'INTEL-SA-00001' }, number)
  advised.result = { tcbStatus = 'UpToDate', advisoryIds = ids, simulated = false }
  s.equal(require('ratls.status').label(advised), 'tee ✓ ' .. words)
  s.equal(require('ratls.status').sentence(advised), 'tee: affirmed (' .. words .. ')')
end

-- An edited policy is judged at once by the evidence that is there.
s.replace('"UpToDate"', '"OutOfDate"')
s.eventually('the edited policy in the status line', function()
  return vim.startswith(require('ratls').statusline(), 'tee ✗')
end)
vim.cmd('silent undo')

-- A provider that is attested no more is shown no more.
s.replace('use_ratls = true', 'use_ratls = false')
s.eventually('the other alone', function()
  return require('ratls').statusline() == 'attacked ✗'
end)
vim.cmd('silent undo')

local notices = {}
vim.notify = function(text)
  notices[#notices + 1] = text
end
vim.cmd('RatlsAttest tee')
s.eventually('the outcome', function()
  return notices[1]
end)
s.equal(notices, { 'ratls: tee: affirmed (SIMULATED)' })
s.equal(vim.fn.getcompletion('RatlsAttest t', 'cmdline'), { 'tee' })
