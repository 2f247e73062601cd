-- The cases of the server's own tests: which file is a Codex config, and whose.
local s = require('scenario')
local documents = require('ratls.documents')

local file = assert(io.open(vim.env.PLACES))
local cases = vim.json.decode(file:read('*a'), { luanil = { object = true } })

local function make(path)
  vim.fn.mkdir(vim.fn.fnamemodify(path, ':h'), 'p')
  return path
end

for number, case in ipairs(cases.documents) do
  local root = ('%s/%d/'):format(vim.env.HOME, number)
  vim.env.CODEX_HOME = root .. 'home/.codex'
  for link, target in pairs(case.links or {}) do
    make(root .. target .. (vim.endswith(target, '.toml') and '' or '/x'))
    assert(vim.loop.fs_symlink(root .. target, make(root .. link)))
  end
  vim.fn.writefile(vim.split(case.text or '', '\n'), make(root .. case.open))
  vim.cmd('noautocmd edit ' .. root .. case.open)
  local home = documents.codex_home({})
  local found = documents.root(0, {})
  local told = vim.inspect({ case, found, home })
  s.equal({ told, found ~= nil }, { told, case.is ~= nil })
  s.equal({ told, found == home }, { told, case.is == 'own' })
end

vim.env.HOME = '/h'
for _, case in ipairs(cases.homes) do
  vim.env.CODEX_HOME = case.CODEX_HOME
  local found = documents.codex_home({ ratls = { codexHome = case.setting } })
  s.equal({ case.setting, case.CODEX_HOME, found }, { case.setting, case.CODEX_HOME, case.is })
end
