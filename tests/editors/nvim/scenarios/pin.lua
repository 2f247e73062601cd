-- What was measured is written into the policy, and the policy still holds.
local s = require('scenario')

s.open(vim.env.UNPINNED)
s.diagnostic('attestation-affirmed')
s.diagnostic('no-measurement-pinned')
vim.cmd('RatlsPin unpinned')
s.eventually('the pins', function()
  return s.text():find(vim.env.MRTD, 1, true)
end)
s.eventually('a policy that pins', function()
  for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
    if s.code(diagnostic) == 'no-measurement-pinned' then
      return false
    end
  end
  return true
end)
s.diagnostic('attestation-affirmed')
