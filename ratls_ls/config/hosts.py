"""Which hosts are this machine's own, and which are never contacted.

Invariant: the rules and the network ask here, so neither lets through what the other refuses. An
IPv4 address counts in whatever IPv6 address carries it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "metadata"})
# Metadata services outside the link-local ranges: Alibaba, Azure, Oracle; AWS, Google, Oracle,
# Scaleway, Linode.
_METADATA = tuple(
    ip_network(text)
    for text in (
        *("100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("fd00:ec2::/32", "fd20:ce::254", "fd00:c1::a9fe:a9fe"),
        *("fd00:42::42", "fd00:a9fe:a9fe::1"),
    )
)
_THIS_NETWORK = ip_network("0.0.0.0/8")
_BROADCAST = ip_address("255.255.255.255")
# With the IPv4 address in the last four bytes: compatible, mapped, translated (SIIT), NAT64.
_CARRIERS = tuple(
    ip_network(text) for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")
# Where RFC 6052 puts the IPv4 address after prefixes of 48, 56, 64 and 96 bits; byte 8 is skipped.
_NAT64_BYTES = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12), (12, 13, 14, 15))


def is_loopback(host: str) -> bool:
    """Whether `host` (a name in lower case, or an address without brackets) is this machine."""
    address = address_of(host)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return host == "localhost" or (address is not None and address.is_loopback)


@lru_cache(maxsize=64)  # several rules ask about one host
def refusal(host: str) -> str | None:
    """Why `host` (a name in lower case, or an address without brackets, perhaps with a zone) is
    never contacted: what it is. None if it may be, which says nothing of what a name stands for."""
    if host in _METADATA_NAMES:
        return "a cloud metadata service"
    address = address_of(host)
    if address is None:
        return None
    found = (_refusal(each) for each in (address, *_carried(address)))
    return next((why for why in found if why is not None), None)


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` is, without its zone; None if it is a name."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _refusal(address: IPv4Address | IPv6Address) -> str | None:
    if address.is_link_local or any(address in network for network in _METADATA):
        return "a link-local or cloud metadata address"
    if address.is_multicast or address.is_unspecified or address in _THIS_NETWORK:
        return "not the address of a host"
    if address == _BROADCAST:
        return "a broadcast address"
    return None


def _carried(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that packets to `address` may end at."""
    if not isinstance(address, IPv6Address):
        return
    if any(address in carrier for carrier in _CARRIERS) and int(address) > 1:
        yield IPv4Address(address.packed[12:])
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _LOCAL_NAT64:
        # Where its prefix ends is the network's own affair, and zeros may be the rest of it.
        found = (IPv4Address(bytes(address.packed[i] for i in at)) for at in _NAT64_BYTES)
        yield from (each for each in found if each not in _THIS_NETWORK)
