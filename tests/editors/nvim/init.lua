-- The user's init.lua as docs/editors.md has it, then the helper of the scenarios.
dofile(vim.env.SNIPPET)
package.path = vim.env.SCENARIOS .. '/?.lua;' .. package.path
