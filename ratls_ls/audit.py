"""The audit log: one JSON line for each attestation and each request, and the evidence beside it.

Invariant: no content, key, nonce or exporter value is ever in it; its files are their owner's alone
and bounded; what cannot be written is said once and stops nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from ratls_ls import private_files
from ratls_ls.rats import collateral as collaterals
from ratls_ls.rats.attestation import Attestation
from ratls_ls.rats.evidence import Evidence
from ratls_ls.rats.result import rfc3339

MAX_LOG_BYTES = 4 * 1024 * 1024
OLD_LOGS = 4
MAX_EVIDENCE = 1000
MAX_EVIDENCE_BYTES = 64 * 1024 * 1024


class Audit:
    """In `directory`: `audit.jsonl`, its predecessors `audit.1.jsonl` and so on, and for each
    attestation `evidence/<evidenceSha256>/` with what `ratls-ls appraise` takes. `complain` tells
    the user that it cannot be written."""

    def __init__(self, directory: Path, complain: Callable[[str], None]) -> None:
        self._directory = directory
        self._complain = complain
        self._works = True

    def attestation(self, provider: str, attestation: Attestation) -> None:
        """Write down one appraisal, affirmed or not."""
        result = attestation.result.to_json(provider)
        collateral = _text(attestation)
        line = {
            "time": result["appraisedAt"],
            "event": "attestation",
            **{
                key: result[key]
                for key in (
                    "provider",
                    "origin",
                    "verdict",
                    "simulated",
                    "tcbStatus",
                    "claims",
                    "evidenceSha256",
                )
            },
            "collateralSha256": _sha256(collateral) if collateral is not None else None,
        }
        self._write(line, attestation, collateral)

    def request(
        self, now: int, provider: str, origin: str, evidence: str | None, outcome: int
    ) -> None:
        """Write down one request. `outcome`: its HTTP status or its error code; `evidence`: the
        `evidenceSha256` of the connection that it ran on, if it ran."""
        line = {
            "time": rfc3339(now),
            "event": "request",
            "provider": provider,
            "origin": origin,
            "status" if outcome > 0 else "error": outcome,
            "evidenceSha256": evidence,
        }
        self._write(line)

    def _write(
        self,
        line: dict[str, Any],
        attestation: Attestation | None = None,
        collateral: str | None = None,
    ) -> None:
        try:
            try:
                self._rotate()
            finally:  # a log that is too long is no reason to lose a line
                data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
                private_files.append(self._log, data)
            if attestation is not None:
                self._keep(attestation, collateral)
            self._works = True
        except OSError as error:
            if self._works:
                self._complain(f"the audit log cannot be written: {error.strerror}")
            self._works = False

    @property
    def _log(self) -> Path:
        return self._directory / "audit.jsonl"

    def _is_full(self) -> bool:
        try:
            return self._log.stat().st_size >= MAX_LOG_BYTES
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        if not self._is_full():
            return
        with _alone_in(self._directory) as alone:
            # Meanwhile another process may have done it.
            if alone and self._is_full():
                ages = range(1, OLD_LOGS + 1)
                names = [self._log, *(self._log.with_name(f"audit.{age}.jsonl") for age in ages)]
                for newer, older in reversed(list(pairwise(names))):
                    if newer.exists():
                        newer.replace(older)

    def _keep(self, attestation: Attestation, collateral: str | None) -> None:
        evidence, digest = attestation.evidence, attestation.result.evidence_sha256
        if not isinstance(evidence, Evidence) or digest is None:
            return
        kept = self._directory / "evidence"
        place = kept / digest
        private_files.write(place / "quote.bin", evidence.quote)
        if evidence.event_log is not None:
            log = evidence.event_log.encode("utf-8", "surrogatepass")
            private_files.write(place / "event_log.json", log)
        if collateral is not None:
            private_files.write(place / "collateral.json", collateral.encode())
        # Another process may be clearing up too.
        with suppress(OSError):
            by_age = sorted(kept.iterdir(), key=lambda directory: -directory.stat().st_mtime)
            room = MAX_EVIDENCE_BYTES
            for index, piece in enumerate(by_age):
                files = list(piece.iterdir())
                room -= sum(file.stat().st_size for file in files)
                if index >= MAX_EVIDENCE or (room < 0 and piece != place):
                    for file in files:
                        file.unlink(missing_ok=True)
                    piece.rmdir()


@contextmanager
def _alone_in(directory: Path) -> Iterator[bool]:
    """Whether no other process is; nobody waits for one that is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        yield alone
    finally:
        os.close(descriptor)  # and with it the lock


def _text(attestation: Attestation) -> str | None:
    found = attestation.collateral
    return collaterals.to_json(found) if found is not None else None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
