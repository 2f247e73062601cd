-- Problems are underlined where they are, after text that is not ASCII too, in the encoding that
-- this Neovim negotiates.
local s = require('scenario')

s.open()
local newest = vim.fn.has('nvim-0.11') == 1
s.equal(s.client().offset_encoding, newest and 'utf-8' or 'utf-16')
local misspelt = s.diagnostic('unknown-key')
s.equal(s.underlined(misspelt), 'base_ulr')
s.equal(misspelt.source, 'ratls')
s.equal(misspelt.severity, vim.diagnostic.severity.WARN)

s.replace('base_ulr', 'base_url')
s.eventually('a config without that problem', function()
  for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
    if s.code(diagnostic) == 'unknown-key' then
      return false
    end
  end
  return true
end)
