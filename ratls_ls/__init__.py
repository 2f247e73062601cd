"""ratls-ls: a language server for attested LLM providers."""

# The build reads it here; to ask the installed package instead would cost every start 15 ms.
__version__ = "0.1.0"
