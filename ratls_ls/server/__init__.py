"""pygls registrations, a few lines each: they take LSP's types apart and call the session.

Invariant: no handler lets an exception, and with it a value, into pygls's error answers.
"""

from __future__ import annotations

from ratls_ls.settings import Options

from . import attestation, documents, features, lifecycle
from .server import Server

__all__ = ["Options", "Server", "create"]


def create(options: Options) -> Server:
    """A server with all its features."""
    server = Server(options)
    for module in (lifecycle, documents, features, attestation):
        module.register(server)
    return server
