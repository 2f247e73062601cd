-- Which buffers hold Codex configs, and whose they are.

local M = {}

local USERS = 'config.toml'

--- Where a path leads.
local function real(path)
  local whole = vim.fn.resolve(vim.fn.fnamemodify(path, ':p'))
  return #whole > 1 and whole:gsub('/$', '') or whole
end

local function parent(path)
  return vim.fn.fnamemodify(path, ':h')
end

local function tail(path)
  return vim.fn.fnamemodify(path, ':t')
end

--- A path that is one wherever Neovim was started; nil for what is empty or relative.
local function absolute(path)
  return type(path) == 'string' and (path:find('^/') or path:find('^%a:[\\/]')) and path or nil
end

local function names_config(name)
  return name == USERS or vim.endswith(name, '.' .. USERS)
end

--- The names that a file has where Codex keeps the user's configs, whatever links lead there.
local function names_in(home, path)
  local file, found = real(path), {}
  for _, way in ipairs({ file, real(parent(path)) .. '/' .. tail(path) }) do
    if parent(way) == home then
      found[#found + 1] = tail(way)
    end
  end
  for _, name in ipairs(vim.fn.isdirectory(home) == 1 and vim.fn.readdir(home) or {}) do
    if names_config(name) and real(home .. '/' .. name) == file then
      found[#found + 1] = name
    end
  end
  return found
end

local function has_providers(buffer)
  for _, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) do
    if line:find('^%s*%[?%[?%s*["\']?model_providers["\']?%s*[.=%]]') then
      return true
    end
  end
  return false
end

--- Where Codex keeps the user's own configs.
function M.codex_home(settings)
  local named = vim.tbl_get(settings or {}, 'ratls', 'codexHome')
  local home = vim.loop.os_homedir()
  if type(named) == 'string' and (named == '~' or named:find('^~/')) then
    named = home .. named:sub(2)
  end
  return real(absolute(named) or absolute(vim.env.CODEX_HOME) or home .. '/.codex')
end

--- The folder that a buffer's config belongs to, of the user's own that where Codex keeps them; nil
--- if the buffer holds no config.
function M.root(buffer, settings)
  local path = vim.api.nvim_buf_get_name(buffer)
  if path == '' or path:find('^%a+://') or vim.bo[buffer].buftype ~= '' then
    return nil
  end
  path = vim.fn.fnamemodify(path, ':p')
  local home = M.codex_home(settings)
  local names = names_in(home, path)
  local folder = #names > 0 and home or real(parent(path))
  if #vim.tbl_filter(names_config, names) > 0 then
    return folder
  end
  if tail(parent(path)) == '.codex' and tail(path) == USERS then
    local project = real(parent(parent(path)))
    return project ~= home and project or folder
  end
  return has_providers(buffer) and folder or nil
end

return M
