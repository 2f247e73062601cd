"""`ratls-ls attest [PROVIDER…]`: attest providers now, one after another."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from ratls_ls.atls.client import AttestedClient
from ratls_ls.atls.errors import AttestationRejectedError, UnreachableError
from ratls_ls.atls.verifier import Verifier
from ratls_ls.config.model import Provider
from ratls_ls.config.words import printable
from ratls_ls.rats.result import AttestationResult

from .common import attested_ids, find_provider, verifier
from .exits import EXIT_ERROR, EXIT_NO, EXIT_YES, complain
from .show import screen, show_result
from .steps import Steps


def attest(options: argparse.Namespace) -> int:
    """Exit 1 if one was rejected, else 2 if one could not be reached, else 0."""
    # All are found before any is contacted.
    names = options.providers or attested_ids(options)
    providers = [find_provider(options, name) for name in names]
    return asyncio.run(_attest_each(providers, verifier(options), json_only=options.json))


async def _attest_each(
    providers: Sequence[Provider], verifying: Verifier, *, json_only: bool
) -> int:
    console = screen(quiet=json_only)
    codes = set()
    for provider in providers:
        try:
            result = await _attest(provider, verifying, console)
        except UnreachableError as error:
            complain(f"{provider.id}: {error}")
            codes.add(EXIT_ERROR)
            continue
        codes.add(EXIT_YES if result.affirmed else EXIT_NO)
        if json_only:
            json.dump(result.to_json(provider.id), sys.stdout, indent=2)
            print(flush=True)
        else:
            show_result(console, result, provider.id)
    # A refusal is never hidden behind a network that was down.
    return EXIT_NO if EXIT_NO in codes else max(codes)


async def _attest(provider: Provider, verifying: Verifier, console: Console) -> AttestationResult:
    console.print(Text(printable(f"{provider.id} {provider.origin}"), "bold"))
    client = AttestedClient(provider, verifying)
    try:
        with Steps(console) as steps:
            return (await client.attest(steps.begin)).result
    except AttestationRejectedError as error:
        return error.result
    finally:
        await client.aclose()
