"""What goes wrong before there is a TLS session to ask anything over."""

from __future__ import annotations

import asyncio

from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL

from ratls_ls.simulator.listener import Accepted
from ratls_ls.simulator.pki import web_ca, web_leaf
from ratls_ls.simulator.scenario import Scenario

from .fault import harmless, unreachable


@unreachable("tls", 86)
def tls_1_2(scenario: Scenario) -> None:
    """the server speaks TLS 1.2 at most, whose exporter an attacker can make equal on both sides"""
    scenario.tls.version = SSL.TLS1_2_VERSION


@unreachable("tls", 91)
def self_signed_certificate(scenario: Scenario) -> None:
    """the certificate is self-signed"""
    scenario.tls.identity = web_leaf(None)


@unreachable("tls", 91, 92)
def unknown_ca(scenario: Scenario) -> None:
    """the certificate comes from a CA that nobody trusts"""
    scenario.tls.identity = web_leaf(web_ca("Unknown Web CA"))


@unreachable("tls", 91)
def expired_certificate(scenario: Scenario) -> None:
    """the certificate has expired"""
    scenario.tls.identity = web_leaf(scenario.pki.web, expired=True)


@unreachable("tls", 91)
def wrong_name(scenario: Scenario) -> None:
    """the certificate is for another host"""
    scenario.tls.identity = web_leaf(scenario.pki.web, names=("other.example",))


@unreachable("tls", 91)
def odd_name(scenario: Scenario) -> None:
    """the certificate names the host beside something that no web server is called by"""
    x400_address, dns_name = b"\xa3\x02\x30\x00", b"\x82\x09localhost"
    der = bytes([0x30, len(x400_address + dns_name)]) + x400_address + dns_name
    scenario.tls.identity = web_leaf(scenario.pki.web, names_der=der)


@unreachable("tls", 91)
def common_name_only(scenario: Scenario) -> None:
    """the certificate names the host in its common name alone"""
    scenario.tls.identity = web_leaf(scenario.pki.web, names=())


@unreachable("tls", 91)
def client_certificate_as_server(scenario: Scenario) -> None:
    """the certificate is for TLS clients only"""
    scenario.tls.identity = web_leaf(scenario.pki.web, usage=ExtendedKeyUsageOID.CLIENT_AUTH)


@unreachable("tls", 93)
def http_2(scenario: Scenario) -> None:
    """the server chooses HTTP/2, which was not offered"""
    scenario.tls.alpn = b"h2"


@harmless(94)
def asks_for_client_certificate(scenario: Scenario) -> None:
    """the server asks for a client certificate, and does without"""
    scenario.tls.ask = "optional"


@unreachable("quote", 94)
def requires_client_certificate(scenario: Scenario) -> None:
    """the server wants a client certificate, of which there is none"""
    scenario.tls.ask = "required"


@unreachable("tls", 95, hangs=True)
def silent_after_accept(scenario: Scenario) -> None:
    """the server accepts the connection and says nothing"""

    async def say_nothing(_channel: Accepted) -> None:
        await asyncio.Event().wait()

    scenario.accept = say_nothing


@unreachable("tls", 95)
def closed_after_accept(scenario: Scenario) -> None:
    """the server closes the connection instead of a handshake"""

    async def close(channel: Accepted) -> None:
        await channel.receive()
        channel.finish()

    scenario.accept = close


@unreachable("tls", 95)
def reset_after_accept(scenario: Scenario) -> None:
    """the server resets the connection instead of a handshake"""

    async def reset(channel: Accepted) -> None:
        await channel.receive()
        channel.reset()

    scenario.accept = reset


@unreachable("tls", 91, 95)
def no_tls(scenario: Scenario) -> None:
    """the server answers in plain HTTP"""

    async def answer(channel: Accepted) -> None:
        await channel.receive()
        await channel.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        channel.finish()

    scenario.accept = answer
