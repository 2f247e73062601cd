-- The commands.

local M = {}

local function tell(text, level)
  vim.notify('ratls: ' .. text, level or vim.log.levels.INFO)
end

--- Call `use` with the client and the config's URI of the current buffer.
local function with_client(use)
  local client, uri = require('ratls.client').of(vim.api.nvim_get_current_buf())
  if client then
    use(client, uri)
  else
    tell(uri, vim.log.levels.ERROR)
  end
end

local function request(client, method, params, on_result)
  require('ratls.client').request(client, method, params, function(err, result)
    if err then
      tell(require('ratls.client').explain(err), vim.log.levels.ERROR)
    else
      on_result(result)
    end
  end, vim.api.nvim_get_current_buf())
end

local function attest(command)
  with_client(function(client, uri)
    local provider = command.args ~= '' and command.args or nil
    local params = { uri = uri, provider = provider, refresh = true }
    request(client, 'attestationStatus', params, function(result)
      local status = require('ratls.status')
      local meant = vim.tbl_filter(function(each)
        return each.state ~= 'disabled' or provider ~= nil
      end, result.providers)
      for _, each in ipairs(meant) do
        local good = each.state == 'affirmed' or each.state == 'disabled'
        tell(status.sentence(each), good and vim.log.levels.INFO or vim.log.levels.WARN)
      end
      if #meant == 0 then
        local missing = provider and 'provider ' .. provider or 'attested provider'
        tell('no ' .. missing, vim.log.levels.WARN)
      end
    end)
  end)
end

local function pin(command)
  with_client(function(client, uri)
    if not uri then
      return tell('open the config that is to be pinned', vim.log.levels.ERROR)
    end
    local params = { command = 'ratls.pinMeasurements', arguments = { uri, command.args } }
    request(client, 'workspace/executeCommand', params, function() end)
  end)
end

local function prompt(command)
  local provider, text = command.args:match('^(%S+)%s*(.*)$')
  if command.range > 0 then
    local lines = vim.api.nvim_buf_get_lines(0, command.line1 - 1, command.line2, false)
    local selected = table.concat(lines, '\n')
    text = text == '' and selected or text .. '\n\n' .. selected
  end
  if text == '' then
    text = vim.fn.input('Prompt: ')
    vim.fn.histdel('@', -1)
  end
  -- What is in a history is written to disk.
  vim.fn.histdel(':', [[\<RatlsPrompt\>]])
  if text ~= '' then
    require('ratls.prompt').ask(provider, text)
  end
end

local function trust()
  with_client(function(client)
    require('ratls.client').trust(client)
    tell('this folder is trusted until Neovim ends: its providers are contacted')
  end)
end

local function complete(typed)
  local found = {}
  for _, status in ipairs(require('ratls.status').of(nil)) do
    if vim.startswith(status.provider, typed) and not vim.tbl_contains(found, status.provider) then
      found[#found + 1] = status.provider
    end
  end
  return found
end

function M.create()
  local command = vim.api.nvim_create_user_command
  command('RatlsAttest', attest, { nargs = '?', complete = complete, desc = 'Attest now' })
  command('RatlsPin', pin, { nargs = 1, complete = complete, desc = 'Pin what was measured' })
  command('RatlsPrompt', prompt, {
    nargs = '+',
    range = true,
    complete = complete,
    desc = 'Send a prompt over an attested connection',
  })
  command('RatlsTrust', trust, { nargs = 0, desc = "Let this folder's configs cause traffic" })
end

return M
