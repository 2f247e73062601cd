"""URLs that a config may have are the same to everybody who reads them."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratls_ls.config.urls import Url, parse_url

PIECES = (
    *("a", "Tee.Example", "xn--bcher-kva.example", "_a", "-", "1.2.3.4", "127.1", "0x7f.1"),
    *("[::1]", "[2001:DB8::1]", "[::FFFF:1.2.3.4]", ":443", ":0443", ":", ":+1", ".", "..", "@"),
    *("/", "//", "/v1", "/%2e", "/[x]", "!", "~", "%41", "?", "#", "\\"),
)


@pytest.mark.parametrize(
    ("text", "host", "port", "spelt"),
    [
        ("https://tee.example/v1", "tee.example", None, "https://tee.example/v1"),
        ("HTTPS://TEE.Example:0443/V1/", "tee.example", 443, "https://tee.example:443/V1/"),
        ("https://[2001:DB8::1]/v1", "2001:db8::1", None, "https://[2001:db8::1]/v1"),
        ("http://[::FFFF:1.2.3.4]:80", "::ffff:1.2.3.4", 80, "http://[::ffff:1.2.3.4]:80"),
    ],
)
def test_a_url_and_its_one_spelling(text: str, host: str, port: int | None, spelt: str) -> None:
    url = parse_url(text)
    assert isinstance(url, Url)
    assert (url.host, url.port, str(url)) == (host, port, spelt)
    assert parse_url(spelt) == url


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join))
def test_every_parser_finds_the_same_host_and_port(rest: str) -> None:
    url = parse_url(f"https://{rest}")
    if isinstance(url, Url):
        ours = (url.host, url.port or 443)
        theirs = httpx.URL(str(url))
        assert (theirs.raw_host.decode(), theirs.port or 443) == ours
        parts = urlsplit(str(url))
        assert (parts.hostname, parts.port or 443, parts.path) == (*ours, url.path)
