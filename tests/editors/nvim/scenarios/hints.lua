-- Code lenses and inlay hints, as the second configuration of docs/editors.md asks for them.
local s = require('scenario')

local buffer = s.open()
s.diagnostic('attestation-affirmed')
s.equal(s.client().config.settings.ratls.attestation, { requireSessionBinding = true })
vim.cmd('doautocmd InsertLeave')
s.eventually('a lens that runs a command', function()
  for _, lens in ipairs(vim.lsp.codelens.get(buffer)) do
    if lens.command and vim.startswith(lens.command.command, 'ratls.') then
      return lens
    end
  end
end)

-- The default of a key that is not set.
s.go_to('allowed_tdx_status')
vim.cmd('delete')
local hint = s.eventually('an inlay hint', function()
  return vim.lsp.inlay_hint.get({ bufnr = buffer })[1]
end)
s.contains(vim.inspect(hint.inlay_hint.label), 'allowed_tdx_status')
