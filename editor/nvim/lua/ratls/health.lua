-- :checkhealth ratls

local clients = require('ratls.client')
local documents = require('ratls.documents')
local status = require('ratls.status')

local M = {}

local function reporter(name)
  -- Neovim before 0.10 has Vim script's functions.
  return vim.health and vim.health[name] or vim.fn['health#report_' .. name]
end

local function check_server(config)
  local program = config.cmd[1]
  if vim.fn.executable(program) == 0 then
    return reporter('error')(program .. ' is not executable', {
      'pip install ratls-ls',
      "or name it: require('ratls').setup({ cmd = { '/path/to/ratls-ls', '--stdio' } })",
    })
  end
  reporter('ok')(vim.trim(vim.fn.system({ program, '--version' })))
end

local function check_config(config)
  local path = documents.codex_home(config.settings) .. '/config.toml'
  if vim.fn.filereadable(path) == 1 then
    reporter('ok')('user-level config: ' .. path)
  else
    reporter('warn')('there is no user-level config: ' .. path)
  end
end

local function check_log()
  local log = vim.lsp.log or require('vim.lsp.log')
  if log.get_level() <= log.levels.DEBUG then
    reporter('warn')('the LSP log repeats every message, prompts and answers too', {
      "vim.lsp.set_log_level('warn')",
    })
  else
    reporter('ok')('the LSP log holds no prompts')
  end
end

local function check_clients()
  local running = clients.all()
  if #running == 0 then
    reporter('info')('the server is not running; it starts with the first config that is opened')
  end
  for _, client in ipairs(running) do
    local settings = client.settings or client.config.settings
    local trusted = settings.ratls.trusted and 'trusted' or 'not trusted: nothing is contacted'
    reporter('ok')(
      ('server of %s: %s, %s'):format(client.config.root_dir, client.offset_encoding, trusted)
    )
  end
  for _, each in ipairs(status.of(nil)) do
    reporter(each.state == 'affirmed' and 'ok' or 'warn')(status.sentence(each))
  end
end

function M.check()
  reporter('start')('ratls')
  local config = clients.configuration()
  check_server(config)
  check_config(config)
  check_log()
  check_clients()
end

return M
