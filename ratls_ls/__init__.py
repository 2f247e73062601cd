"""ratls-ls: a language server for attested LLM providers."""

from importlib.metadata import version

__version__ = version("ratls-ls")
