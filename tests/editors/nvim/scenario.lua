-- What a scenario needs: waiting for what the editor shows, and failing with what it shows.

local M = {}

local PATIENCE_MILLISECONDS = 20000

--- What `found` gives as soon as that is true. Meanwhile Neovim does what it does.
function M.eventually(what, found)
  local start = vim.loop.now()
  while true do
    local value = found()
    if value then
      return value
    elseif vim.loop.now() - start > PATIENCE_MILLISECONDS then
      error(what .. ' was never seen; there is: ' .. M.shown(), 2)
    end
    coroutine.yield()
  end
end

function M.equal(actual, expected)
  if not vim.deep_equal(actual, expected) then
    error(('expected %s, got %s'):format(vim.inspect(expected), vim.inspect(actual)), 2)
  end
end

function M.contains(text, part)
  if not text:find(part, 1, true) then
    error(('%q is not in %q'):format(part, text), 2)
  end
end

--- Open the user's own config, or another.
function M.open(path)
  vim.cmd('edit ' .. vim.fn.fnameescape(path or vim.env.CODEX_HOME .. '/config.toml'))
  return vim.api.nvim_get_current_buf()
end

function M.text(buffer)
  return table.concat(vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, false), '\n')
end

--- The diagnostic with this code, as soon as it is shown.
function M.diagnostic(code)
  return M.eventually('diagnostic ' .. code, function()
    for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
      if M.code(diagnostic) == code then
        return diagnostic
      end
    end
  end)
end

function M.code(diagnostic)
  return diagnostic.code or vim.tbl_get(diagnostic, 'user_data', 'lsp', 'code')
end

--- The text that a diagnostic underlines.
function M.underlined(diagnostic)
  M.equal(diagnostic.end_lnum, diagnostic.lnum)
  local line = vim.api.nvim_buf_get_lines(0, diagnostic.lnum, diagnostic.lnum + 1, false)[1]
  return line:sub(diagnostic.col + 1, diagnostic.end_col)
end

--- Put the cursor on the first place of `text`, `offset` bytes further.
function M.go_to(text, offset)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local column = line:find(text, 1, true)
    if column then
      return vim.api.nvim_win_set_cursor(0, { number, column - 1 + (offset or 0) })
    end
  end
  error(text .. ' is nowhere', 2)
end

--- Replace the first place of `old` by `new`, as somebody who types.
function M.replace(old, new)
  M.go_to(old)
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  vim.api.nvim_buf_set_text(0, row - 1, column, row - 1, column + #old, { new })
end

function M.client()
  return M.eventually('client', function()
    local found = require('ratls.client').all()[1]
    return found and found.initialized and found
  end)
end

--- Everything that the editor shows, for a failure.
function M.shown()
  local found = { vim.fn.execute('messages'), require('ratls').statusline() }
  for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
    found[#found + 1] = vim.inspect({ M.code(diagnostic), diagnostic.message })
  end
  found[#found + 1] = M.text()
  return table.concat(found, '\n')
end

--- Type these keys.
function M.type(keys)
  vim.api.nvim_input(keys)
end

--- Run the scenario in this file and end Neovim; its exit status says how it went.
function M.run(path)
  local scenario = coroutine.create(assert(loadfile(path)))
  local function go_on()
    local good, failure = coroutine.resume(scenario)
    if not good then
      io.stderr:write('\n', debug.traceback(scenario, failure), '\n')
      vim.cmd('cquit')
    elseif coroutine.status(scenario) == 'dead' then
      vim.cmd('qall!')
    else
      vim.defer_fn(go_on, 5)
    end
  end
  go_on()
end

return M
