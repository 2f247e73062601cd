-- The running language clients, and what differs between versions of Neovim.

local documents = require('ratls.documents')

local M = {}

local NAME = 'ratls_ls'
local UNTRUSTED = -32014
local START_MILLISECONDS = 10000
local has_methods = vim.fn.has('nvim-0.11') == 1
local legacy -- the configuration where there is no vim.lsp.config
local started = {} -- the ids of clients by folder, where vim.lsp.start_client is called

local function all()
  return vim.tbl_filter(function(client)
    return client.name == NAME
  end, (vim.lsp.get_clients or vim.lsp.get_active_clients)())
end

--- The configuration that a client is started with.
local function configuration()
  local found = vim.lsp.config and vim.lsp.config[NAME] or legacy or require('ratls.config')
  return vim.deepcopy(found)
end

--- The id of the client of the folder `root`, started if need be; nil if it cannot be.
local function start(root)
  local config = configuration()
  config.root_dir = root
  if vim.lsp.config then
    return vim.lsp.start(config, { attach = false })
  end
  local id = started[root]
  -- One that is only starting is in no list of clients.
  if not id or not vim.lsp.get_client_by_id(id) then
    id = vim.lsp.start_client(config)
    started[root] = id
  end
  return id
end

--- Do what vim.lsp.enable does, for Neovim before 0.11.
function M.enable(options)
  legacy = vim.tbl_deep_extend('force', require('ratls.config'), options or {})
  vim.api.nvim_create_autocmd('FileType', {
    group = vim.api.nvim_create_augroup('ratls', {}),
    pattern = legacy.filetypes,
    callback = function(event)
      local root = documents.root(event.buf, legacy.settings)
      local id = root and start(root)
      if id then
        vim.lsp.buf_attach_client(event.buf, id)
      end
    end,
  })
end

--- The client of a buffer, with the URI of its config. A buffer without one gets the client of the
--- user's own configs, started if need be, and no URI. Nil and why, if there is none to be had.
function M.of(buffer)
  for _, client in ipairs(all()) do
    if vim.lsp.buf_is_attached(buffer, client.id) then
      return client, vim.uri_from_bufnr(buffer)
    end
  end
  local id = start(documents.codex_home(configuration().settings))
  local client = id and vim.lsp.get_client_by_id(id)
  local started = client
    and vim.wait(START_MILLISECONDS, function()
      return client.initialized or not vim.lsp.get_client_by_id(id)
    end, 10)
  if started and client.initialized then
    return client
  end
  return nil, 'the language server does not start; see :checkhealth ratls'
end

--- Send a request. `handler` takes error and result; a cancelled request never calls it. Returns
--- the request's id, nil if the server is gone.
function M.request(client, method, params, handler, buffer)
  local sent, id
  if has_methods then
    sent, id = client:request(method, params, handler, buffer)
  else
    sent, id = client.request(method, params, handler, buffer)
  end
  return sent and id or nil
end

function M.cancel(client, id)
  if has_methods then
    client:cancel_request(id)
  else
    client.cancel_request(id)
  end
end

--- What an error answer says to the user.
function M.explain(err)
  return err.message .. (err.code == UNTRUSTED and ' (:RatlsTrust)' or '')
end

--- Vouch for the folder of a client until it ends.
function M.trust(client)
  local settings = client.settings or client.config.settings
  settings.ratls.trusted = true
  local params = { settings = settings }
  if has_methods then
    client:notify('workspace/didChangeConfiguration', params)
  else
    client.notify('workspace/didChangeConfiguration', params)
  end
end

M.all = all
M.configuration = configuration

return M
