"""`ratls-ls appraise`: judge recorded evidence offline."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from ratls_ls import bounded
from ratls_ls.rats import collateral
from ratls_ls.rats.appraise import appraise as appraise_evidence
from ratls_ls.rats.binding import OfflineBinding
from ratls_ls.rats.errors import CollateralError
from ratls_ls.rats.evidence import Evidence, from_hex
from ratls_ls.rats.policy import AppraisalPolicy, Pin, Register

from .common import find_provider, verifier
from .exits import EXIT_NO, EXIT_YES, CommandError
from .show import screen, show_result

_UNIX_SECONDS = re.compile(r"[0-9]{1,11}")
_TIME_HELP = "--at takes RFC 3339 or Unix seconds"


def appraise(options: argparse.Namespace) -> int:
    """Exit 0 affirmed, 1 rejected."""
    log = _bytes(options.event_log) if options.event_log else None
    result = appraise_evidence(
        Evidence(
            _quote(_bytes(options.quote)),
            log.decode("utf-8", "replace") if log is not None else None,
        ),
        collateral=_collateral(options.collateral),
        policy=_policy(options),
        binding=OfflineBinding(_report_data(options.report_data)),
        now=_time(options.at),
        anchors=verifier(options).anchors,
    )
    if options.json:
        json.dump(result.to_json(options.provider), sys.stdout, indent=2)
        print()
    else:
        show_result(screen(), result, options.provider)
    return EXIT_YES if result.affirmed else EXIT_NO


def _policy(options: argparse.Namespace) -> AppraisalPolicy:
    policy = (
        find_provider(options, options.provider).policy if options.provider else AppraisalPolicy()
    )
    if options.app_compose is None:
        return policy
    # dstack hashes the raw text, so the file's bytes are what counts.
    digest = hashlib.sha256(_bytes(options.app_compose)).digest()
    pin = Pin("--app-compose", Register.COMPOSE_HASH, digest)
    return policy._replace(pins=(*policy.pins, pin))


def _bytes(path: Path) -> bytes:
    try:
        return bounded.read(path)
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error


def _quote(data: bytes) -> bytes:
    """The quote as it is, or as the hex that servers send."""
    try:
        decoded = from_hex(data.decode("ascii").strip())
    except UnicodeDecodeError:
        return data
    return decoded if decoded else data


def _collateral(path: Path) -> collateral.Collateral:
    try:
        return collateral.from_json(_bytes(path).decode("utf-8"))
    except (CollateralError, UnicodeError) as error:
        raise CommandError(f"{path}: {error}") from error


def _report_data(text: str | None) -> bytes | None:
    if text is None:
        return None
    data = from_hex(text)
    if data is None or len(data) != 64:
        raise CommandError("--report-data takes 64 bytes of hex")
    return data


def _time(text: str | None) -> int:
    if text is None:
        return int(time.time())
    if _UNIX_SECONDS.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(_TIME_HELP) from error
    seconds = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    if seconds < 0:
        raise CommandError("--at takes no time before 1970")
    return int(seconds)
