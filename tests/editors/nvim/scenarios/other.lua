-- TOML that is no Codex config starts no server.
local s = require('scenario')

s.open(vim.env.PROJECT .. '/pyproject.toml')
s.equal(vim.bo.filetype, 'toml')
s.equal(require('ratls').statusline(), '')
s.open() -- had a server been wanted before, it would be there by now
s.diagnostic('attestation-affirmed')
s.equal(#require('ratls.client').all(), 1)
