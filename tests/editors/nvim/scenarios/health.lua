-- :checkhealth says what is there and what is missing.
local s = require('scenario')

vim.cmd('checkhealth ratls')
s.contains(s.text(), 'ratls-ls ')
s.contains(s.text(), vim.env.CODEX_HOME .. '/config.toml')
s.contains(s.text(), 'not running')
vim.cmd('bwipeout!')

s.open()
s.diagnostic('attestation-affirmed')
vim.lsp.set_log_level('debug')
vim.cmd('checkhealth ratls')
vim.lsp.set_log_level('warn')
s.contains(s.text(), 'tee: affirmed (SIMULATED)')
s.contains(s.text(), ', trusted')
s.contains(s.text(), 'prompts and answers too')
