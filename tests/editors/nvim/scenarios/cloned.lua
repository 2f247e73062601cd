-- A cloned folder that Neovim was started in is not the user's own for want of a name: nobody is
-- contacted there, and it can be vouched for as any other.
local s = require('scenario')

vim.cmd('cd ' .. vim.fn.fnameescape(vim.env.PROJECT))
vim.env.CODEX_HOME = '.'
require('ratls').setup({ settings = { ratls = { codexHome = '' } } })
s.open(vim.env.PROJECT .. '/.codex/config.toml')
s.eventually('the status', function()
  return require('ratls').statusline() ~= ''
end)
s.equal(require('ratls').statusline(), 'tee untrusted')
