"""The user's settings (section `ratls`). Pure.

Invariant: whatever cannot be understood is reported and counts as absent, or as the stricter value
where it may have been meant to bear on trust; no setting comes from a config file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from .config.words import nearest, shown

_T = TypeVar("_T")


class Trigger(StrEnum):
    """When a provider is attested unasked; each is stricter than the one before."""

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

    def stricter(self, than: Settings) -> Settings:
        """These where they are stricter than others, else the others, and the files of those. One
        complaint more names what did not count."""
        held = replace(
            than,
            trigger=max(self.trigger, than.trigger, key=list(Trigger).index),
            refresh_minutes=min(self.refresh_minutes, than.refresh_minutes),
            require_session_binding=self.require_session_binding or than.require_session_binding,
            connection_max_age_minutes=min(
                self.connection_max_age_minutes, than.connection_max_age_minutes
            ),
            trusted=self.trusted and than.trusted,
            audit=self.audit or than.audit,
            complaints=self.complaints,
        )
        names = [each.name for each in fields(self) if each.compare]
        laxer = [
            f"ratls.{path}"
            for path, name in zip(_SETTINGS, names, strict=True)
            if getattr(self, name) != getattr(held, name)
        ]
        if not laxer:
            return held
        why = "ignored: --only-stricter-settings takes only what is stricter"
        return replace(held, complaints=(*self.complaints, f"{', '.join(laxer)}: {why}"))


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says: files that are trusted beside those of the settings, and whether
    settings may come from somebody else, so that each counts only where it is stricter than what
    counted before."""

    ca_files: tuple[Path, ...] = ()
    unsafe_root_ca: tuple[Path, ...] = ()
    only_stricter_settings: bool = False

    @property
    def settings(self) -> Settings:
        """What counts before the client says anything."""
        return Settings(trigger=Trigger.MANUAL) if self.only_stricter_settings else Settings()

    def taken(self, value: object, before: Settings) -> Settings:
        """What counts once the client sent `value`, as `parse` takes it. Trust that was not given
        is not gained by saying nothing of it."""
        if self.only_stricter_settings:
            return parse(value, absent=before).stricter(before)
        return parse(value, absent=replace(self.settings, trusted=before.trusted))


# In the order of the fields of `Settings`.
_SETTINGS = (
    "attestation.trigger",
    "attestation.refreshMinutes",
    "attestation.requireSessionBinding",
    "attestation.connectionMaxAgeMinutes",
    "trusted",
    "tls.caFile",
    "unsafeRootCa",
    "codexHome",
    "audit.enabled",
)
_DIFFERENT = object()
_SECTIONS = frozenset({path.rpartition(".")[0] for path in _SETTINGS})  # "" is all of it
_OF_CLIENTS = frozenset({"trace", "prompt", "server"})
_BY_NAME = {path.rpartition(".")[2]: path for path in (*_SECTIONS - {""}, *_SETTINGS)}
_HEADS = frozenset(path.partition(".")[0].lower() for path in _SETTINGS)


def section(value: object) -> object | None:
    """What a client sends of the section `ratls`, which may be that section itself; None: it says
    nothing of it."""
    if not isinstance(value, dict):
        return None
    named = {key: item for key, item in value.items() if key.partition(".")[0] == "ratls"}
    heads = {key.partition(".")[0].lower() for key in value}
    return named or (value if _HEADS & heads else None)


def tells_trust(value: object) -> bool:
    """Whether a section says anything that counts for `trusted`."""
    outcomes = {parse(value, absent=Settings(trusted=each)).trusted for each in (True, False)}
    return len(outcomes) == 1


def parse(value: object, *, absent: Settings | None = None) -> Settings:
    """Settings from `initializationOptions` or the section `ratls`: objects in one another, or keys
    with dots, as clients keep them.

    `absent`: what each but a file is where it is not told; default: its default.
    """
    reader = _Reader(value)
    absent = absent or Settings()
    ca_file = reader.get("tls.caFile", str, "")
    trigger = reader.get("attestation.trigger", str, absent.trigger.value, Trigger.MANUAL.value)
    if trigger not in set(Trigger):
        reader.complain("attestation.trigger", f"one of {', '.join(Trigger)}")
        trigger = Trigger.MANUAL
    home = reader.get("codexHome", str, "")
    codex_home = _expanded(home)
    if home and not codex_home.is_absolute():
        reader.complain("codexHome", "must be an absolute path")
    return Settings(
        trigger=Trigger(trigger),
        refresh_minutes=reader.minutes("attestation.refreshMinutes", absent.refresh_minutes),
        require_session_binding=reader.get(
            "attestation.requireSessionBinding", bool, absent.require_session_binding, True
        ),
        connection_max_age_minutes=reader.minutes(
            "attestation.connectionMaxAgeMinutes", absent.connection_max_age_minutes
        ),
        trusted=reader.get("trusted", bool, absent.trusted, False),
        ca_files=(_expanded(ca_file),) if ca_file else (),
        unsafe_root_ca=tuple(reader.paths("unsafeRootCa")),
        codex_home=codex_home if codex_home.is_absolute() else None,
        audit=reader.get("audit.enabled", bool, absent.audit),
        complaints=tuple(reader.complaints),
    )


def _expanded(text: str) -> Path:
    """With the home that a ~ means, if it means one."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


class _Reader:
    """Values by the path of their setting, whatever way that is written."""

    def __init__(self, value: object) -> None:
        self._found: dict[str, object] = {}
        self._unclear: set[str] = set()  # settings and sections that something was meant for
        self.complaints: list[str] = []
        self._take(value, "")

    def _take(self, value: object, path: str) -> None:
        """`path`: of a setting or a section, "" for the whole."""
        if value is None or path.partition(".")[0] in _OF_CLIENTS:
            return
        if path in _SETTINGS:
            same = self._found.setdefault(path, value) == value
            self._found[path] = value if same else _DIFFERENT
        elif path not in _SECTIONS:
            meant = _BY_NAME.get(nearest(path.rpartition(".")[2], _BY_NAME) or "")
            self.complain(
                path, f"no such setting; did you mean {meant}?" if meant else "no such setting"
            )
            self._unclear.update([meant] if meant else [])
        elif isinstance(value, dict):
            for key, item in value.items():
                inner = f"{path}.{key}" if path else key
                self._take(item, "" if inner == "ratls" else inner.removeprefix("ratls."))
        elif value != []:  # which is how some write an object without keys
            self.complain(path, "must be an object")
            self._unclear.add(path)

    def complain(self, path: str, words: str) -> None:
        self.complaints.append(f"{shown(f'ratls.{path}'.rstrip('.'))}: {words}")

    def _misfit(self, path: str, expected: str) -> None:
        different = self._found[path] is _DIFFERENT
        self.complain(path, "is set to different values" if different else expected)

    def get(self, path: str, kind: type[_T], absent: _T, wrong: _T | None = None) -> _T:
        """`wrong`: in place of `absent` where something is there that is not clear."""
        found = self._found.get(path)
        if isinstance(found, kind):
            return found
        if found is not None:
            self._misfit(path, f"must be {kind.__name__}")
        elif not self._unclear & {path, path.rpartition(".")[0], ""}:
            return absent
        return absent if wrong is None else wrong

    def minutes(self, path: str, absent: float) -> float:
        found = self._found.get(path)
        if found is None:
            return absent
        if isinstance(found, bool) or not isinstance(found, (int, float)) or not 0 <= found < 1e6:
            self._misfit(path, "must be a number of minutes")
            return absent
        return float(found)

    def paths(self, path: str) -> Iterator[Path]:
        found = self._found.get(path, [])
        for item in found if isinstance(found, list) else [None]:
            if isinstance(item, str) and item:
                yield _expanded(item)
            else:
                self._misfit(path, "must be a list of file names")
