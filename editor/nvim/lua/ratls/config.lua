-- The configuration of the language client, the same for every version of Neovim.
--
-- Invariant: a folder that the user did not vouch for causes no network traffic. The user's own
-- configs are trusted; any other folder is once the user says so (`:RatlsTrust`, or the setting
-- `trusted`).

local documents = require('ratls.documents')

local function before_init(params, config)
  -- The client answers the server's questions from this very table.
  local settings = config.settings.ratls
  if settings.trusted == nil then
    settings.trusted = config.root_dir == documents.codex_home(config.settings)
  end
  params.initializationOptions = settings
end

local function progress(err, params, context, config)
  if not require('ratls.prompt').progress(params) then
    return vim.lsp.handlers['$/progress'](err, params, context, config)
  end
end

return {
  name = 'ratls_ls',
  cmd = { 'ratls-ls', '--stdio' },
  filetypes = { 'toml' },
  root_dir = function(buffer, on_dir)
    local configured = vim.lsp.config and vim.lsp.config.ratls_ls.settings
    local root = documents.root(buffer, configured)
    if root then
      on_dir(root)
    end
  end,
  settings = { ratls = {} },
  init_options = { trusted = false }, -- should `before_init` be replaced
  before_init = before_init,
  handlers = {
    ['attestationStatus/changed'] = function(_, status, context)
      require('ratls.status').changed(status, context.client_id)
    end,
    ['$/progress'] = progress,
  },
}
