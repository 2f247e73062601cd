-- The public face: setup, statusline. Everything else is a module of its own.

local M = {}

--- Start the server for every Codex config that is opened. `options` override the client's
--- configuration (cmd, settings, on_attach, capabilities, ...).
function M.setup(options)
  require('ratls.commands').create()
  if vim.lsp.config then
    vim.lsp.config('ratls_ls', options or {})
    vim.lsp.enable('ratls_ls')
  else
    require('ratls.client').enable(options)
  end
end

--- The providers of a buffer's config, each with a mark, such as `tee ✓`. Empty if there is none.
function M.statusline(buffer)
  local status = require('ratls.status')
  local uri = vim.uri_from_bufnr(buffer or vim.api.nvim_get_current_buf())
  return table.concat(vim.tbl_map(status.label, status.of(uri)), '  ')
end

--- The ProviderStatus of every provider of a config, as docs/protocol.md has it.
function M.statuses(uri)
  return require('ratls.status').of(uri)
end

return M
