"""A config's providers and the places that refer to them, with where they stand.

Invariant: every span that leaves here is absolute; what is kept inside counts from a base, so
that it outlives edits elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ratls_ls.cached import cached_property
from ratls_ls.rats.policy import Pin

from .keys import PROVIDER, PROVIDERS, RATLS_POLICY, KeyModel
from .kinds import fits
from .meant import meant_by
from .measurements import Measurement, measurements, pins
from .model import Provider
from .problem import Problem
from .record import record
from .span import Span
from .statuses import Allowed, allowed_in, readable_in
from .strays import Stray, is_policy_alone
from .toml.document import Document, Group
from .toml.values import (
    Array,
    Entry,
    Invalid,
    Scalar,
    Table,
    TableKind,
    is_half_typed,
    shifted_entry,
    string_of,
)


class Reference(NamedTuple):
    """A place that names a provider id.

    `span`: the string with its quotes; `path`: e.g. ("profiles", "work", "model_provider").
    """

    id: str
    span: Span
    path: tuple[str, ...]


class ModelledKey(NamedTuple):
    """A key in a provider or in one of its tables that have a model.

    `model` is None if nobody knows it there; `parent`: that of its table, which stands at `path`
    under the provider.
    """

    entry: Entry
    model: KeyModel | None
    table: Table
    parent: KeyModel
    path: tuple[str, ...]


class UnknownKey(NamedTuple):
    """A key that nobody knows where it stands. `meant`: by its names under the provider, the key
    that it was probably meant to be."""

    key: ModelledKey
    meant: tuple[str, ...] | None

    @property
    def is_half_typed(self) -> bool:
        """Whether it may go on: no `=` follows it yet."""
        return is_half_typed(self.key.entry.value)

    @property
    def is_begun(self) -> bool:
        """Whether it may go on as a known table, under whose header nothing stands yet: so nothing
        is lost if nobody reads it."""
        name, table = self.key.entry.key.name, self.key.entry.value
        if not isinstance(table, Table) or table.kind is not TableKind.HEADER or table.entries:
            return False
        names = (child.name for child in self.key.parent.children if fits(child.kind, table))
        return any(known.startswith(name) for known in names)


@record()
class ProviderTable:
    """One `[model_providers.<id>]` with all that belongs to it, wherever it stands.

    `attested`: whether `use_ratls = true` stands here, or where this is laid over (the rest may
    still be wrong). `provider` is None unless all of that is valid. `broken`: part is not TOML.
    `newline`: the line break of its text. `base`: how far on `relative_entry` and `pieces`, the
    texts that say something about it, really stand. `under`: in the file of a profile, the table
    of the user's own config that this one is laid over. `placed`: the same where it stood last.
    """

    id: str
    relative_entry: Entry = field(repr=False)
    attested: bool
    newline: str
    pieces: tuple[tuple[int, str], ...] = field(repr=False)
    under: ProviderTable | None = field(default=None, repr=False)
    base: int = 0
    provider: Provider | None = None
    broken: bool = False
    placed: dict[int, ProviderTable] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        entry: Entry,
        newline: str,
        pieces: tuple[tuple[int, str], ...],
        under: ProviderTable | None = None,
    ) -> ProviderTable:
        """The one that stands at `entry`, not judged yet."""
        switch = entry.value.get("use_ratls") if isinstance(entry.value, Table) else None
        attested = isinstance(switch, Scalar) and switch.value is True
        if switch is None and under is not None:
            attested = under.attested
        return cls(entry.key.name, entry, attested, newline, pieces, under)

    def at(self, base: int) -> ProviderTable:
        """The same, standing at `base`."""
        if base == self.base:
            return self
        table = self.placed.get(base)
        if table is None:
            table = self._with(base, self.provider, broken=self.broken)
            self.placed.clear()
            self.placed[base] = table
        return table

    def judged(self, provider: Provider | None, *, broken: bool = False) -> ProviderTable:
        """The same, described by `provider`."""
        return self._with(self.base, provider, broken=broken)

    def _with(self, base: int, provider: Provider | None, *, broken: bool = False) -> ProviderTable:
        return ProviderTable(
            self.id,
            self.relative_entry,
            self.attested,
            self.newline,
            self.pieces,
            self.under,
            base,
            provider,
            broken,
        )

    @cached_property
    def entry(self) -> Entry:
        """The id as key, and its value whatever that is."""
        return shifted_entry(self.relative_entry, self.base) if self.base else self.relative_entry

    @property
    def span(self) -> Span:
        """The header, else the key, that first names this provider: where to show its status."""
        entry = self.relative_entry
        value = entry.value
        header = isinstance(value, Table) and value.kind is TableKind.HEADER
        implicit = isinstance(value, Table) and value.kind is TableKind.IMPLICIT
        return (entry.span if header or implicit else entry.key.span).shifted(self.base)

    @property
    def id_spans(self) -> tuple[Span, ...]:
        """Every spelling of the id in headers and keys (quotes included), for rename."""
        return tuple(key.span.shifted(self.base) for key in self.relative_entry.keys)

    @cached_property
    def table(self) -> Table:
        """Its table, e.g. `table.entries["base_url"]`; empty where the id has no table."""
        value = self.entry.value
        return value if isinstance(value, Table) else Table(value.span, TableKind.IMPLICIT)

    @cached_property
    def policy_entry(self) -> Entry | None:
        """The entry `ratls_policy`, whatever its value is."""
        return self.table.entries.get("ratls_policy")

    @cached_property
    def policy(self) -> Table | None:
        """Its `ratls_policy`, if that is a table."""
        entry = self.policy_entry
        return entry.value if entry is not None and isinstance(entry.value, Table) else None

    @cached_property
    def is_policy_alone(self) -> bool:
        """Whether it may be another provider's policy, under an id that is misspelt."""
        return self.under is None and is_policy_alone(self.relative_entry.value)

    @cached_property
    def own_keys(self) -> tuple[ModelledKey, ...]:
        """Its keys but those under its policy, each before those under it."""
        return tuple(_modelled_keys(self.table, PROVIDER, ()))

    @cached_property
    def policy_keys(self) -> tuple[ModelledKey, ...]:
        """Those under its policy."""
        if self.policy is None:
            return ()
        return tuple(_modelled_keys(self.policy, RATLS_POLICY, (RATLS_POLICY.name,)))

    @property
    def strange_keys(self) -> Iterator[UnknownKey]:
        """Those that nobody knows and that are written in full."""
        return (unknown for unknown in self.unknown_keys if not unknown.is_half_typed)

    @cached_property
    def unknown_keys(self) -> tuple[UnknownKey, ...]:
        """Those of its keys that nobody knows where they stand."""
        return tuple(
            UnknownKey(key, meant_by(key.entry.key.name, key.entry.value, key.path))
            for key in (*self.own_keys, *self.policy_keys)
            if key.model is None
        )

    def is_meant(self, *path: str) -> bool:
        """Whether a key that nobody knows was probably meant to be the one at `path`."""
        return any(unknown.meant == path for unknown in self.unknown_keys)

    @cached_property
    def variables(self) -> tuple[Entry, ...]:
        """The entries whose values name environment variables."""
        key, headers = self.table.entries.get("env_key"), self.table.get("env_http_headers")
        return (
            *((key,) if key is not None else ()),
            *(headers if isinstance(headers, Table) else ()),
        )

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        """Its hex pins that are strings, whatever stands in them."""
        return tuple(measurements(self.policy))

    @cached_property
    def pins(self) -> tuple[tuple[Pin, Span], ...]:
        """Its whole pins, with the span of their value."""
        return tuple(pins(self.policy, self.measurements))

    @cached_property
    def status_array(self) -> Array | None:
        """`allowed_tdx_status`, if it is an array."""
        found = self.policy.get("allowed_tdx_status") if self.policy is not None else None
        return found if isinstance(found, Array) else None

    @cached_property
    def allowed(self) -> tuple[Allowed, ...]:
        """The strings of `allowed_tdx_status`, in order."""
        return tuple(allowed_in(self.status_array))

    @cached_property
    def status_words(self) -> tuple[Allowed, ...]:
        """Those of `allowed`; of an array that is not TOML what can be read: nothing is missing
        there for not being among them."""
        if self.allowed or self.policy is None:
            return self.allowed
        found = self.policy.get("allowed_tdx_status")
        if not isinstance(found, Invalid):
            return ()
        source = self.source(found.span) or ""
        return tuple(readable_in(source, found.span.start)) if source.startswith("[") else ()

    @property
    def policy_spans(self) -> Mapping[str, Span]:
        """Span of each policy entry by dotted key ("allowed_tdx_status", "min_tdx_tcb.mrseam")."""
        return dict(_spans(self.policy, "")) if self.policy is not None else {}

    def string(self, *path: str) -> str | None:
        """The string at `path`; None if there is none or it is of another type."""
        value = self.relative_entry.value
        found = value.get(*path) if isinstance(value, Table) else None
        return string_of(found)

    @cached_property
    def base_url(self) -> str | None:
        """Its `base_url`, if that is a string."""
        return self.string("base_url")

    @cached_property
    def pccs_url(self) -> str | None:
        """The `pccs_url` of its policy, if that is a string."""
        return self.string("ratls_policy", "pccs_url")

    def source(self, span: Span) -> str | None:
        """The text at `span`; None if that is not all within one of its sections."""
        for start, text in self.pieces:
            at = self.base + start
            if at <= span.start and span.end <= at + len(text):
                return text[span.start - at : span.end - at]
        return None

    def line_before(self, offset: int) -> str | None:
        """What stands on the line of `offset` before it; None outside of its sections."""
        for start, text in self.pieces:
            at = offset - self.base - start
            if 0 <= at <= len(text):
                return text[text.rfind("\n", 0, at) + 1 : at]
        return None


def _modelled_keys(table: Table, parent: KeyModel, path: tuple[str, ...]) -> list[ModelledKey]:
    found, models = [], parent.by_name
    for entry in table.entries.values():
        model = models.get(entry.key.name)
        found.append(ModelledKey(entry, model, table, parent, path))
        if model is None or not model.children or model is RATLS_POLICY:
            continue
        if isinstance(entry.value, Table):
            found += _modelled_keys(entry.value, model, (*path, model.name))
    return found


def _spans(table: Table, prefix: str) -> Iterator[tuple[str, Span]]:
    for entry in table:
        yield prefix + entry.key.name, entry.span
        if isinstance(entry.value, Table):
            yield from _spans(entry.value, f"{prefix}{entry.key.name}.")


@dataclass(frozen=True)
class Base:
    """The user's own config, for what is laid over it.

    `tables`: its providers; one that no edit touched is the same object as before. `whole`: all of
    the file can be read. `sound`: and no provider or policy of it stands where nobody reads it.
    """

    tables: tuple[ProviderTable, ...]
    whole: bool = True
    sound: bool = True

    @cached_property
    def by_id(self) -> Mapping[str, ProviderTable]:
        return {table.id: table for table in self.tables}


@record(slots=True)
class Part:
    """One Group as config; spans count from its start.

    `problems` depend on nothing else but `under`, the tables that its providers are laid over.
    `strays`: what nobody reads there; `loses_policy`: whether a policy is among it that may be any
    provider's. `hidden`: providers that are not attested, with an error that stands not here but in
    what they are laid over. `misspelt`: tables of providers or profiles by almost that name.
    `contextual`: the further problems of a Context, once found.
    """

    group: Group
    providers: tuple[ProviderTable, ...]
    references: tuple[Reference, ...]
    problems: tuple[Problem, ...]
    strays: tuple[Stray, ...] = ()
    loses_policy: bool = False
    under: frozenset[ProviderTable] = frozenset()
    hidden: tuple[tuple[ProviderTable, Problem], ...] = ()
    misspelt: tuple[Entry, ...] = ()
    contextual: dict[object, tuple[Problem, ...]] = field(default_factory=dict, repr=False)


class Providers(Mapping[str, ProviderTable]):
    """Tables by their ids. Each is put where it stands when somebody asks for it."""

    __slots__ = ("_tables",)

    def __init__(self, tables: Mapping[str, tuple[int, ProviderTable]]) -> None:
        self._tables = tables

    def __getitem__(self, name: str) -> ProviderTable:
        base, table = self._tables[name]
        return table.at(base)

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


@record()
class ConfigFile:
    """A read config. Spans and values are absolute and those of `text`, but for `tables`, which
    come with what theirs count from. `base`: what it was read as laid over."""

    text: str = field(repr=False)
    document: Document = field(repr=False)
    tables: Mapping[str, tuple[int, ProviderTable]]
    references: tuple[Reference, ...]
    parts: tuple[tuple[int, Part], ...] = field(repr=False)
    base: Base | None = field(default=None, repr=False)

    @cached_property
    def providers(self) -> Providers:
        """Its `tables` where they stand."""
        return Providers(self.tables)

    @property
    def root(self) -> Table:
        """The whole text as one table."""
        return self.document.root

    @property
    def is_codex_config(self) -> bool:
        """Whether the text itself shows that it is one: it has `model_providers`."""
        return any(PROVIDERS in part.group.root.entries for _, part in self.parts)

    def has_room_for(self, ids: Iterable[str], name: str = PROVIDERS) -> bool:
        """Whether `[<name>.<id>]` of these ids can stand here as well."""
        tables = [part.group.root.get(name) for _, part in self.parts]
        there = [table for table in tables if table is not None]
        return all(
            isinstance(table, Table)
            and table.kind is not TableKind.INLINE
            and table.entries.keys().isdisjoint(ids)
            for table in there
        )

    @cached_property
    def default(self) -> Reference | None:
        """Where the provider that Codex uses by default is named."""
        # What stands before any header is in the first part.
        profile = string_of(self.parts[0][1].group.root.get("profile")) if self.parts else None
        of_profile = ("profiles", profile or "", "model_provider")
        found = None
        for reference in self.references:
            if reference.path == of_profile:
                return reference
            if reference.path == ("model_provider",):
                found = reference
        return found
