"""Which hosts are this machine, and which are never contacted, in whatever form they come."""

from __future__ import annotations

import pytest

from ratls_ls.atls import network
from ratls_ls.config.check import check
from ratls_ls.config.hosts import is_loopback, refusal
from ratls_ls.config.read import read

NEVER = [
    *("169.254.169.254", "169.254.0.1", "fe80::1"),
    *("100.100.100.200", "192.0.0.192", "168.63.129.16"),
    *("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42", "fd00:c1::a9fe:a9fe"),
    *("0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "ff02::1", "255.255.255.255"),
    *("::ffff:169.254.169.254", "::a9fe:a9fe", "::ffff:0:a9fe:a9fe", "::ffff:0.0.0.0"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "64:ff9b:1:a9fe:a9:fe00::"),
    *("64:ff9b:1:1a9:fe:a9fe::", "64:ff9b:1:1:a9:fea9:fe00:0", "64:ff9b::6464:64c8"),
    *("2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::", "2001:0:808:808::5601:5601"),
]
MAY_BE = [
    *("127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd00::1", "8.8.8.8", "2001:db8::1"),
    *("64:ff9b::808:808", "64:ff9b:1::808:808", "2002:808:808::1", "2001:4860:4860::8888"),
]


@pytest.mark.parametrize("address", NEVER)
def test_rules_and_network_refuse_the_same(address: str) -> None:
    assert refusal(address)
    assert network.refusal is refusal
    host = f"[{address}]" if ":" in address else address
    file = read(
        f'[model_providers.tee]\nname = "T"\nbase_url = "https://{host}/v1"\nuse_ratls = true\n'
    )
    assert "forbidden-host" in {problem.code for problem in check(file)}
    assert file.providers["tee"].provider is None


@pytest.mark.parametrize("address", MAY_BE)
def test_may_be_contacted(address: str) -> None:
    assert refusal(address) is None


def test_a_zone_is_no_way_around() -> None:
    assert refusal("fe80::1%lo")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.example", "127.0.0.1.example", "10.0.0.1", "::2"])
def test_other_machines(host: str) -> None:
    assert not is_loopback(host)
