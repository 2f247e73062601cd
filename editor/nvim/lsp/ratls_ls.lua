-- Read by vim.lsp.enable('ratls_ls'), Neovim 0.11 and newer.
return require('ratls.config')
