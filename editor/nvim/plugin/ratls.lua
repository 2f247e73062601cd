require('ratls.commands').create()
