"""`ratls-ls attest PROVIDER`: attest one provider now."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from rich.console import Console

from ratls_ls.atls.client import AttestedClient
from ratls_ls.atls.errors import AttestationRejectedError, UnreachableError
from ratls_ls.atls.verifier import Verifier
from ratls_ls.config.model import Provider
from ratls_ls.rats.result import AttestationResult

from .common import find_provider, verifier
from .main import EXIT_NO, EXIT_YES, CommandError
from .show import show_result


def attest(options: argparse.Namespace) -> int:
    """Exit 0 affirmed, 1 rejected; CommandError where it could not be reached."""
    provider = find_provider(options)
    result = asyncio.run(_attest(provider, verifier(options)))
    if options.json:
        json.dump(result.to_json(provider.id), sys.stdout, indent=2)
        print()
    else:
        show_result(Console(), result, provider.id)
    return EXIT_YES if result.affirmed else EXIT_NO


async def _attest(provider: Provider, verifying: Verifier) -> AttestationResult:
    client = AttestedClient(provider, verifying)
    try:
        return (await client.attest()).result
    except AttestationRejectedError as error:
        return error.result
    except UnreachableError as error:
        raise CommandError(str(error)) from error
    finally:
        await client.aclose()
