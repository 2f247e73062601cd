"""The user's settings (section `ratls`). Pure.

Invariant: a setting of the wrong type counts as absent and is reported, and absent is the safe
value; none of them comes from a config file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

_T = TypeVar("_T")


class Trigger(StrEnum):
    """When a provider is attested unasked."""

    ON_OPEN_AND_SAVE = "onOpenAndSave"
    ON_SAVE = "onSave"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Settings:
    trigger: Trigger = Trigger.ON_OPEN_AND_SAVE
    refresh_minutes: float = 15
    require_session_binding: bool = False
    connection_max_age_minutes: float = 30
    trusted: bool = True
    ca_files: tuple[Path, ...] = ()
    unsafe_root_ca: tuple[Path, ...] = ()
    codex_home: Path | None = None
    audit: bool = False
    complaints: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says: files that are trusted beside those of the settings."""

    ca_files: tuple[Path, ...] = ()
    unsafe_root_ca: tuple[Path, ...] = ()


_KEYS = frozenset({"attestation", "trusted", "tls", "unsafeRootCa", "codexHome", "audit", "trace"})


def section(value: object) -> object | None:
    """The section `ratls` of what a client sends, which may be that section itself; None: what it
    sends says nothing of it."""
    if not isinstance(value, dict):
        return None
    if "ratls" in value:
        return value["ratls"] or {}
    return value if _KEYS & value.keys() else None


def parse(value: object, *, trusted: bool = True) -> Settings:
    """Settings from the nested object of `initializationOptions` or the section `ratls`.

    `trusted`: what that setting is where it is not told.
    """
    reader = _Reader(value)
    ca_file = reader.get("tls.caFile", str, "")
    trigger = reader.get("attestation.trigger", str, Trigger.ON_OPEN_AND_SAVE.value)
    if trigger not in set(Trigger):
        reader.complaints.append(f"attestation.trigger: one of {', '.join(Trigger)}")
        trigger = Trigger.MANUAL
    codex_home = reader.get("codexHome", str, "")
    return Settings(
        trigger=Trigger(trigger),
        refresh_minutes=reader.minutes("attestation.refreshMinutes", 15),
        # A binding or trust setting that cannot be read must not weaken anything.
        require_session_binding=reader.get("attestation.requireSessionBinding", bool, False, True),
        connection_max_age_minutes=reader.minutes("attestation.connectionMaxAgeMinutes", 30),
        trusted=reader.get("trusted", bool, trusted, False),
        ca_files=(Path(ca_file).expanduser(),) if ca_file else (),
        unsafe_root_ca=tuple(reader.paths("unsafeRootCa")),
        codex_home=Path(codex_home).expanduser() if codex_home else None,
        audit=reader.get("audit.enabled", bool, False),
        complaints=tuple(reader.complaints),
    )


class _Reader:
    def __init__(self, value: object) -> None:
        self._value = value
        self.complaints: list[str] = []

    def _find(self, path: str) -> Any:
        found = self._value
        for key in path.split("."):
            if not isinstance(found, dict):
                return None
            found = found.get(key)
        return found

    def get(self, path: str, kind: type[_T], absent: _T, wrong: _T | None = None) -> _T:
        found = self._find(path)
        if found is None:
            return absent
        if isinstance(found, kind):
            return found
        self.complaints.append(f"{path}: must be {kind.__name__}")
        return absent if wrong is None else wrong

    def minutes(self, path: str, absent: float) -> float:
        found = self._find(path)
        if found is None:
            return absent
        if isinstance(found, bool) or not isinstance(found, (int, float)) or not 0 <= found < 1e6:
            self.complaints.append(f"{path}: must be a number of minutes")
            return absent
        return float(found)

    def paths(self, path: str) -> Iterator[Path]:
        found = self._find(path)
        for item in found if isinstance(found, list) else []:
            if isinstance(item, str) and item:
                yield Path(item).expanduser()
            else:
                self.complaints.append(f"{path}: must be a list of file names")
        if found is not None and not isinstance(found, list):
            self.complaints.append(f"{path}: must be a list of file names")
