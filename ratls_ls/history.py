"""The measurements of each origin as they were affirmed before, across sessions.

Invariant: only what was affirmed is remembered, simulated apart from genuine; what was remembered
and cannot be read is said once, and counts as new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ratls_ls import private_files
from ratls_ls.rats.policy import AppraisalPolicy
from ratls_ls.rats.result import AttestationResult
from ratls_ls.status import MeasurementChange

# RTMR3 is not among them: it differs with every boot.
REGISTERS = ("mrtd", "rtmr0", "rtmr1", "rtmr2", "mrseam", "composeHash", "osImageHash", "appId")
# A change that nobody pins is news for so long; then it is what the server is.
NEWS_SECONDS = 7 * 24 * 3600
MAX_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Record:
    """`measurements`: the accepted ones; `seen`: when they were affirmed last; `changed`: since
    when others are; all in Unix seconds."""

    origin: str
    measurements: Mapping[str, str]
    seen: int
    changed: int | None = None


class History:
    """One small file for each origin in `directory`; None keeps everything in memory. `complain`
    tells the user of one that cannot be read."""

    def __init__(
        self, directory: Path | None, complain: Callable[[str], None] = lambda _: None
    ) -> None:
        self._directory = directory
        self._complain = complain
        self._records: dict[tuple[str, bool], _Record | None] = {}

    def observe(
        self, result: AttestationResult, policy: AppraisalPolicy
    ) -> MeasurementChange | None:
        """Remember an affirmed result; what differs from what was accepted before.

        A register that `policy` pins is no news: that it changed was accepted with the pin.
        """
        change = self.compare(result, policy)
        if not result.affirmed or result.origin is None:
            return None
        record = self._record(result.origin, result.simulated)
        measured = _measured(result)
        at = result.appraised_at
        if change is None or record is None or at - change.at > NEWS_SECONDS:
            known = dict(record.measurements) if record is not None else {}
            self._keep(result, _Record(result.origin, known | measured, at))
            return None
        self._keep(result, _Record(result.origin, record.measurements, record.seen, change.at))
        return change

    def compare(
        self, result: AttestationResult, policy: AppraisalPolicy
    ) -> MeasurementChange | None:
        """As `observe`, and remembers nothing."""
        if not result.affirmed or result.origin is None:
            return None
        record = self._record(result.origin, result.simulated)
        if record is None:
            return None
        pinned = {pin.register.value for pin in policy.pins}
        changed = tuple(
            (name, record.measurements[name], value)
            for name, value in _measured(result).items()
            if name not in pinned and record.measurements.get(name, value) != value
        )
        if not changed:
            return None
        return MeasurementChange(changed, record.seen, record.changed or result.appraised_at)

    def _record(self, origin: str, simulated: bool) -> _Record | None:
        key = (origin, simulated)
        if key not in self._records:
            self._records[key] = self._read(origin, simulated)
        return self._records[key]

    def _keep(self, result: AttestationResult, record: _Record) -> None:
        if self._record(record.origin, result.simulated) == record:
            return
        self._records[record.origin, result.simulated] = record
        if (file := self._file(record.origin, result.simulated)) is not None:
            # What cannot be written is forgotten with this session, nothing else.
            with suppress(OSError):
                private_files.write(file, json.dumps(asdict(record)).encode())

    def _file(self, origin: str, simulated: bool) -> Path | None:
        if self._directory is None:
            return None
        name = hashlib.sha256(origin.encode()).hexdigest()[:32]
        return self._directory / f"{'simulated' if simulated else 'genuine'}-{name}.json"

    def _read(self, origin: str, simulated: bool) -> _Record | None:
        file = self._file(origin, simulated)
        why, record = "it is damaged", None
        try:
            if file is None or (data := private_files.read(file)) is None:
                return None
            if len(data) <= MAX_FILE_BYTES:
                record = _record(json.loads(data), origin)
        except OSError as error:
            why = error.strerror or why
        except (ValueError, RecursionError):
            pass
        if record is None:
            self._complain(
                f"what {origin} measured before cannot be read, so what it measures next counts as"
                f" new: {file}: {why}"
            )
        return record


def _measured(result: AttestationResult) -> dict[str, str]:
    return {name: result.measurements[name] for name in REGISTERS if name in result.measurements}


def _record(shape: Any, origin: str) -> _Record | None:
    """The record that a file holds, if it is one of `origin`."""
    if not isinstance(shape, dict) or shape.get("origin") != origin:
        return None
    measurements, seen, changed = (shape.get(key) for key in ("measurements", "seen", "changed"))
    if not isinstance(measurements, dict) or type(seen) is not int:
        return None
    if not all(isinstance(value, str) for value in measurements.values()):
        return None
    return _Record(origin, measurements, seen, changed if type(changed) is int else None)
