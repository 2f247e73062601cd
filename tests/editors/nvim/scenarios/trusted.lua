-- Once the user vouches for a project's folder, its providers are attested.
local s = require('scenario')

s.open(vim.env.PROJECT .. '/.codex/config.toml')
s.eventually('the status', function()
  return require('ratls').statusline() == 'tee untrusted'
end)
vim.cmd('RatlsTrust')
s.diagnostic('attestation-affirmed')
s.equal(require('ratls').statusline(), 'tee ✓ SIMULATED')
