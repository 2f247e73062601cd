"""A PCCS that cannot be reached, or answers with something else than collateral."""

from __future__ import annotations

import gzip
from dataclasses import replace

from ratls_ls.simulator.http import Request, Response, Wire, crumbled
from ratls_ls.simulator.scenario import Scenario

from .fault import harmless, unreachable

_HTML = [("Content-Type", "text/html")]


def _every(scenario: Scenario, response: Response) -> None:
    """Answer so whatever is asked for."""
    scenario.pccs.append(lambda _request, _response: replace(response))


@unreachable("pccs", 75)
def pccs_down(scenario: Scenario) -> None:
    """the PCCS closes every connection"""
    scenario.pccs_up = False


@unreachable("pccs", 81, hangs=True)
def pccs_silent(scenario: Scenario) -> None:
    """the PCCS never answers"""

    async def hang(wire: Wire) -> None:
        await wire.hang()

    _every(scenario, Response(deliver=hang))


@unreachable("pccs", 75)
def pccs_error(scenario: Scenario) -> None:
    """the PCCS has an error of its own"""
    _every(scenario, Response(503, list(_HTML), b"<h1>down for maintenance</h1>"))


@unreachable("pccs", 78)
def pccs_redirects(scenario: Scenario) -> None:
    """the PCCS redirects to a host of its choice"""
    _every(scenario, Response(302, [("Location", "http://169.254.169.254/latest/meta-data")]))


@unreachable("pccs", 79)
def pccs_without_root_crl(scenario: Scenario) -> None:
    """the PCCS has no root CRL, which would have to be fetched from where a certificate says"""

    def lose(request: Request, response: Response) -> Response:
        return Response(404) if request.path.endswith("/rootcacrl") else response

    scenario.pccs.append(lose)


@unreachable("pccs", 80)
def pccs_huge(scenario: Scenario) -> None:
    """the PCCS pads a document to more than a MiB"""

    def pad(request: Request, response: Response) -> Response:
        if isinstance(response.body, bytes) and request.path.endswith("/tcb"):
            response.body += b" " * (1024 * 1024)
        return response

    scenario.pccs.append(pad)


@unreachable("pccs", 80, 101)
def pccs_without_an_end_to_its_head(scenario: Scenario) -> None:
    """informational answers without end come before the PCCS's answer"""

    async def deliver(wire: Wire) -> None:
        while True:
            await wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2048)

    _every(scenario, Response(deliver=deliver))


@harmless(101)
def pccs_in_crumbs(scenario: Scenario) -> None:
    """the PCCS answers in chunks of one byte, very many of them blanks"""

    def crumble(request: Request, response: Response) -> Response:
        if isinstance(response.body, bytes) and request.path.endswith("/tcb"):
            response.body += b" " * 30_000
        return crumbled(response)

    scenario.pccs.append(crumble)


@unreachable("pccs", 84, 102)
def pccs_compressed(scenario: Scenario) -> None:
    """the PCCS compresses, which nobody asked for"""
    _every(scenario, Response(200, [("Content-Encoding", "gzip")], gzip.compress(b"{}")))


@unreachable("pccs", 84)
def pccs_page(scenario: Scenario) -> None:
    """the PCCS answers with a page for people"""
    _every(scenario, Response(200, list(_HTML), b"<h1>Welcome</h1>"))


@unreachable("pccs", 84, 110)
def pccs_deep_json(scenario: Scenario) -> None:
    """the PCCS answers with JSON nested beyond reason"""
    _every(scenario, Response(200, [], b"[" * 100_000))
