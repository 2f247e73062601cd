"""`ratls-ls simulate`: a simulated TEE provider on loopback, until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import signal
import tempfile
from pathlib import Path

from ratls_ls.simulator import FAULTS, serve

from .exits import EXIT_YES, CommandError

PROVIDER_ID = "simulated"
_MARK = "# Written by `ratls-ls simulate`, which may write it anew.\n"


def simulate(options: argparse.Namespace) -> int:
    if options.list_faults:
        width = max(len(name) for name in FAULTS)
        for name, fault in FAULTS.items():
            print(f"{name:<{width}}  {fault.title}")
        return EXIT_YES
    for name in options.fault:
        if name not in FAULTS:
            raise CommandError(f"no fault {name}; see ratls-ls simulate --list-faults")
    if options.write_config is not None:
        _refuse_what_is_not_ours(options.write_config)
    try:
        asyncio.run(_simulate(options))
    except OSError as error:
        raise CommandError(f"cannot serve: {error.strerror or error}") from error
    return EXIT_YES


async def _simulate(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    with tempfile.TemporaryDirectory(prefix="ratls-simulate-") as directory:
        async with serve(options.port, faults=options.fault) as provider:
            files = provider.write_files(Path(directory))
            print(f"base_url   {provider.base_url}")
            print(f"pccs_url   {provider.pccs_url}")
            print(f"TLS CA     {files.ca_file}")
            print(f"DCAP root  {files.root_file}")
            if options.write_config is not None:
                _write(options.write_config, provider.config_toml(PROVIDER_ID))
                print(f"config     {options.write_config}")
                print(
                    f"try: ratls-ls attest {PROVIDER_ID} --config {options.write_config} "
                    f"--ca-file {files.ca_file} --unsafe-root-ca {files.root_file}"
                )
            print("serving; interrupt to stop", flush=True)
            await stopped.wait()


def _refuse_what_is_not_ours(path: Path) -> None:
    try:
        if path.exists() and not _is_ours(path):
            raise CommandError(f"{path} holds something else already; name another file")
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error


def _is_ours(path: Path) -> bool:
    if not path.is_file():  # reading a pipe or a device may never end
        return False
    with path.open("rb") as stream:
        return stream.read(len(_MARK)) == _MARK.encode()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(_MARK + text, "utf-8")
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error
