-- What the servers told of their providers, and how it reads.

local M = {}

local MARKS = {
  affirmed = '✓',
  rejected = '✗',
  unreachable = '?',
  checking = '…',
  stale = '~',
  invalid = '!',
  untrusted = 'untrusted',
  unchecked = '·',
}

local known = {} -- by client id, URI and provider

--- Take in one ProviderStatus.
function M.changed(status, client_id)
  local client = known[client_id] or {}
  known[client_id] = client
  client[status.uri] = client[status.uri] or {}
  client[status.uri][status.provider] = status
  vim.cmd('redrawstatus')
  vim.cmd('doautocmd <nomodeline> User RatlsStatus')
end

--- The statuses of a config's attested providers, in the order of the file; of every config, if
--- `uri` is nil.
function M.of(uri)
  local found = {}
  for id, documents in pairs(known) do
    if not vim.lsp.get_client_by_id(id) then
      known[id] = nil
    else
      for document, providers in pairs(documents) do
        for _, status in pairs(providers) do
          if (uri == nil or document == uri) and status.state ~= 'disabled' then
            found[#found + 1] = status
          end
        end
      end
    end
  end
  table.sort(found, function(one, other)
    if one.uri ~= other.uri then
      return one.uri < other.uri
    end
    return one.range.start.line < other.range.start.line
  end)
  return found
end

--- What an AttestationResult says beside its verdict; nothing if all is as it should be.
function M.remarks(result)
  local found = {}
  if result.tcbStatus and result.tcbStatus ~= vim.NIL and result.tcbStatus ~= 'UpToDate' then
    found[#found + 1] = result.tcbStatus
  end
  local advisories = #(result.advisoryIds or {})
  if advisories > 0 then
    found[#found + 1] = advisories == 1 and '1 advisory' or advisories .. ' advisories'
  end
  if result.simulated then
    found[#found + 1] = 'SIMULATED'
  end
  return found
end

--- A few characters, such as `tee ✓` or `tee ✓ SIMULATED`.
function M.label(status)
  local words = { (status.provider:gsub('%c', '')), MARKS[status.state] or status.state }
  if status.state == 'affirmed' and status.result then
    vim.list_extend(words, M.remarks(status.result))
  end
  return table.concat(words, ' ')
end

--- What is wrong with a provider that is invalid, as far as its config is open: the first error of
--- its own, else of the file.
local function fault(status)
  local path = vim.uri_to_fname(status.uri)
  local buffer = vim.fn.bufexists(path) == 1 and vim.uri_to_bufnr(status.uri)
  local shown = buffer and vim.diagnostic.get(buffer, { severity = vim.diagnostic.severity.ERROR })
  local errors = shown or {}
  table.sort(errors, function(one, other)
    return one.lnum < other.lnum
  end)
  local found = errors[1]
  for _, each in ipairs(errors) do
    if each.lnum >= status.range.start.line then
      found = each
      break
    end
  end
  return found and ('line %d: %s'):format(found.lnum + 1, found.message)
    or 'its configuration has errors: open ' .. vim.fn.fnamemodify(path, ':~')
end

--- One line that says what is so, and why.
function M.sentence(status)
  local text = status.provider .. ': ' .. status.state
  if status.state == 'affirmed' then
    local remarks = M.remarks(status.result)
    return #remarks > 0 and text .. ' (' .. table.concat(remarks, ', ') .. ')' or text
  end
  if status.state == 'rejected' then
    for _, claim in ipairs(status.result.claims) do
      if claim.verdict == 'failed' then
        text = text .. ' (' .. claim.name .. ': ' .. (claim.reason or claim.actual or '') .. ')'
      end
    end
  elseif status.state == 'invalid' then
    text = text .. ' (' .. fault(status) .. ')'
  elseif status.state == 'untrusted' then
    text = text .. '; :RatlsTrust vouches for this folder'
  elseif status.error then
    text = text .. ' (' .. status.error.message .. ')'
  end
  return text
end

return M
