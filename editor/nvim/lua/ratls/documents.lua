-- Which buffers hold Codex configs, and whose they are.

local M = {}

local function directory(path)
  local whole = vim.fn.resolve(vim.fn.fnamemodify(path, ':p'))
  return #whole > 1 and whole:gsub('/$', '') or whole
end

--- A path that is one wherever Neovim was started; nil for what is empty or relative.
local function absolute(path)
  return type(path) == 'string' and (path:find('^/') or path:find('^%a:[\\/]')) and path or nil
end

local function has_providers(buffer)
  for _, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) do
    if line:find('model_providers', 1, true) then
      return true
    end
  end
  return false
end

--- Where Codex keeps the user's own configs.
function M.codex_home(settings)
  local named = vim.tbl_get(settings or {}, 'ratls', 'codexHome')
  if type(named) == 'string' and named:find('^~/') then
    named = vim.loop.os_homedir() .. named:sub(2)
  end
  return directory(absolute(named) or absolute(vim.env.CODEX_HOME) or '~/.codex')
end

--- The folder that a buffer's config belongs to; nil if the buffer holds no config.
function M.root(buffer, settings)
  local path = vim.api.nvim_buf_get_name(buffer)
  if path == '' or path:find('^%a+://') or vim.bo[buffer].buftype ~= '' then
    return nil
  end
  local folder, name = directory(vim.fn.fnamemodify(path, ':p:h')), vim.fn.fnamemodify(path, ':t')
  if folder == M.codex_home(settings) and (name == 'config.toml' or name:find('%.config%.toml$')) then
    return folder
  end
  if vim.fn.fnamemodify(folder, ':t') == '.codex' and name == 'config.toml' then
    return vim.fn.fnamemodify(folder, ':h')
  end
  return has_providers(buffer) and folder or nil
end

return M
