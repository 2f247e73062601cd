"""Appraisal against bare dcap_qvl, and a warm attested request against plain httpx, as ratios.

python tests/bench/appraisal.py [--smoke]
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import dcap_qvl
import httpx

from ratls_ls.atls.client import AttestedClient
from ratls_ls.atls.request import RequestParameters, prepare
from ratls_ls.atls.verifier import build_verifier
from ratls_ls.config.read import read
from ratls_ls.rats import collateral as collaterals
from ratls_ls.rats.appraise import appraise
from ratls_ls.rats.binding import OfflineBinding
from ratls_ls.rats.evidence import Evidence
from ratls_ls.rats.policy import AppraisalPolicy
from ratls_ls.rats.quote import TrustAnchor
from ratls_ls.simulator import serve
from ratls_ls.simulator.collateral import make_collateral
from ratls_ls.simulator.pki import dcap_pki
from ratls_ls.simulator.quote import TdReport, mint


def appraisal(times: int) -> tuple[float, float]:
    """Milliseconds of ours and of bare verification, taking turns."""
    pki, now = dcap_pki(), int(time.time())
    quote, collateral = mint(TdReport(), pki), make_collateral(pki, now)
    anchors = [TrustAnchor(pki.root.der, simulated=True)]
    bare = dcap_qvl.QuoteCollateralV3.from_json(collaterals.to_json(collateral))
    ours, theirs = [], []
    for _ in range(times):
        started = time.perf_counter()
        appraise(
            Evidence(quote, None),
            collateral=collateral,
            policy=AppraisalPolicy(),
            binding=OfflineBinding(),
            now=now,
            anchors=anchors,
        )
        between = time.perf_counter()
        dcap_qvl.verify_with_root_ca(quote, bare, pki.root.der, now)
        ours.append(between - started)
        theirs.append(time.perf_counter() - between)
    return statistics.median(ours) * 1000, statistics.median(theirs) * 1000


async def warm_request(times: int) -> tuple[float, float]:
    """Milliseconds of a request over a warm attested connection and over plain httpx."""
    async with serve() as provider:
        with tempfile.TemporaryDirectory() as directory:
            files = provider.write_files(Path(directory))
            verifier = build_verifier(
                ca_files=[files.ca_file],
                unsafe_root_ca=[files.root_file],
                environment={},
                cache_directory=Path(directory),
            )
            found = read(provider.config_toml("tee")).providers["tee"].provider
            if found is None:
                raise RuntimeError("the simulated provider's config has errors")
            attested = AttestedClient(found, verifier)
            context = ssl.create_default_context(cafile=files.ca_file)
            request = prepare(found, RequestParameters("/models"), {})

            async def ours() -> None:
                async with attested.send(request, 10) as response:
                    async for _ in response.chunks():
                        pass

            async with httpx.AsyncClient(verify=context, trust_env=False) as plain:

                async def theirs() -> None:
                    await plain.get(f"{provider.base_url}/models")

                pairs = [(await _timed(ours), await _timed(theirs)) for _ in range(times + 1)][1:]
            await attested.aclose()
    mine, peers = zip(*pairs, strict=True)
    return statistics.median(mine) * 1000, statistics.median(peers) * 1000


async def _timed(work: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="tiny, for CI")
    times = 10 if parser.parse_args().smoke else 300
    print("| | ratls-ls ms | bare ms | ratio | added ms |\n|---|---|---|---|---|")
    for name, (ours, bare) in (
        ("appraisal / dcap_qvl", appraisal(times)),
        ("warm request / httpx", asyncio.run(warm_request(times))),
    ):
        print(f"| {name} | {ours:.2f} | {bare:.2f} | {ours / bare:.2f} | {ours - bare:.2f} |")


if __name__ == "__main__":
    main()
