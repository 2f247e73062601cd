-- Configs of one folder that are opened before its server is up share one.
local s = require('scenario')

s.open(vim.env.UNPINNED)
local buffer = s.open()
vim.cmd('doautocmd FileType')
s.diagnostic('attestation-affirmed')
local found = {}
for id = 1, 9 do -- those that are only starting, too
  found[#found + 1] = vim.lsp.get_client_by_id(id)
end
s.equal(#found, 1)
for _, each in ipairs({ vim.uri_to_bufnr(vim.uri_from_fname(vim.env.UNPINNED)), buffer }) do
  s.equal(vim.lsp.buf_is_attached(each, found[1].id), true)
end
