"""The one client of a server that listens on loopback.

Invariant: it is this user's or root's, and what it says first is a header of LSP. Every user of the
machine can connect to loopback, and so can every web page that this one looks at: behind the head
of an HTTP request a page sends whatever it likes.
"""

from __future__ import annotations

import ipaddress
import os
import re
import select
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from .exits import complain

_MAX_SILENT = 64
_HEADER = re.compile(rb"content-(length|type):", re.IGNORECASE)
# No message begins with less, so none is judged before it can be.
_HEADER_BYTES = len("Content-Length:")
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))

_End = tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]  # with the port


def first_client(listener: socket.socket) -> socket.socket:
    """The first connection that is the user's and speaks LSP. Those that say nothing, as of a
    browser that connects ahead, are waited for beside it; all but the one are closed."""
    silent: list[socket.socket] = []
    told = False
    try:
        while True:
            ready, _, _ = select.select([listener, *silent], [], [])
            if listener in ready:
                ready.remove(listener)
                accepted, _ = listener.accept()
                if is_users(accepted):
                    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, _HEADER_BYTES)
                    silent.append(accepted)
                else:
                    accepted.close()
                    if not told:
                        complain("refused a connection of another user")
                    told = True
            for connection in ready:
                silent.remove(connection)
                if _speaks_lsp(connection):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
                    return connection
                connection.close()
            if len(silent) > _MAX_SILENT:
                silent.pop(0).close()
    finally:
        for connection in silent:
            connection.close()


def is_users(connection: socket.socket) -> bool:
    """Whether this user or root has the other end, which is on this machine. One that was closed
    is nobody's any more. Of a system that does not tell whose connections are (it is not Linux),
    none is known to be another's."""
    if not any(table.exists() for table in _TABLES):
        return True
    peer, own = _end(*connection.getpeername()[:2]), _end(*connection.getsockname()[:2])
    owners = {owner for owner, ends in _owners() if ends == (peer, own)}
    return bool(owners) and owners <= {0, os.getuid()}


def _speaks_lsp(connection: socket.socket) -> bool:
    try:
        return _HEADER.match(connection.recv(_HEADER_BYTES, socket.MSG_PEEK)) is not None
    except OSError:
        return False


def _owners() -> Iterator[tuple[int, tuple[_End, _End]]]:
    """The user of each TCP socket that a process holds, with its own and its other end."""
    for table in _TABLES:
        try:
            rows = table.read_text("ascii").splitlines()[1:]
        except OSError:  # then no connection is known to be the user's
            continue
        for row in rows:
            _, own, peer, _, _, _, _, owner, _, inode, *_ = row.split()
            if inode != "0":
                yield int(owner), (_parsed(own), _parsed(peer))


def _parsed(end: str) -> _End:
    """As the kernel writes it: words of 32 bits in the machine's order, in hex, and the port."""
    address, _, port = end.partition(":")
    words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return _end(str(ipaddress.ip_address(packed)), int(port, 16))


def _end(host: str, port: int) -> _End:
    """An IPv4 address within an IPv6 one is that address."""
    address = ipaddress.ip_address(host)
    return getattr(address, "ipv4_mapped", None) or address, port
