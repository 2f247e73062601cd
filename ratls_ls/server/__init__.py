"""pygls registrations, a few lines each: they take LSP's types apart and call the session.

Invariant: no handler lets an exception, and with it a value, into pygls's error answers.
"""

from __future__ import annotations

from ratls_ls.session import Options

from . import actions, attestation, documents, language, lifecycle, navigation
from .server import Server

__all__ = ["Options", "Server", "create"]


def create(options: Options) -> Server:
    """A server with all its features."""
    server = Server(options)
    for feature in (lifecycle, documents, language, actions, navigation, attestation):
        feature.register(server)
    return server
