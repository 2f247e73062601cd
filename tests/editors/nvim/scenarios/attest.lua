-- What :RatlsAttest says where there is nothing to attest, or an error.
local s = require('scenario')

local notices = {}
vim.notify = function(text)
  notices[#notices + 1] = text
end

local function said()
  notices = {}
  vim.cmd('RatlsAttest')
  return s.eventually('the outcome', function()
    return notices[1]
  end)
end

local plain = vim.env.CODEX_HOME .. '/plain.config.toml'
vim.fn.writefile({
  'model_provider = "plain"',
  '[model_providers.plain]',
  'name = "plain"',
  'base_url = "https://plain.example"',
}, plain)
s.open(plain)
s.diagnostic('unattested-default')
s.equal(said(), 'ratls: no attested provider')

-- Why a provider cannot be attested is said: its own error, or one above that makes it so. What is
-- not open can only be pointed at.
local function sentence(path, line)
  local uri, range = vim.uri_from_fname(path), { start = { line = line } }
  local status = { provider = 'tee', state = 'invalid', uri = uri, range = range }
  return require('ratls.status').sentence(status)
end

s.open(vim.env.UNPINNED)
s.diagnostic('attestation-affirmed')
s.replace('"responses"', '3')
local second = s.diagnostic('wrong-type').message
s.replace('"Simulated TEE provider"', '3')
local first = s.eventually('another error', function()
  local found = vim.diagnostic.get(0, { lnum = 1 })[1]
  return found and found.message
end)
s.equal(said(), 'ratls: unpinned: invalid (line 2: ' .. first .. ')')
s.equal(sentence(vim.env.UNPINNED, 2), 'tee: invalid (line 4: ' .. second .. ')')
s.equal(sentence(vim.env.UNPINNED, 9), 'tee: invalid (line 2: ' .. first .. ')')
s.equal(
  sentence(vim.env.PROJECT .. '/.codex/config.toml', 0),
  'tee: invalid (its configuration has errors: open ~/project/.codex/config.toml)'
)
