"""From text to what a Codex config says: its providers, who refers to them, and the rest.

Invariant: `read` is a function of the text alone; what a previous reading gives is speed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .model import Provider
from .span import Span
from .values import Entry, Table


@dataclass(frozen=True, slots=True)
class Reference:
    """A place that names a provider id.

    `span`: the string with its quotes; `path`: e.g. ("profiles", "work", "model_provider").
    """

    id: str
    span: Span
    path: tuple[str, ...]


class ProviderTable:
    """One `[model_providers.<id>]` with all that belongs to it, wherever it stands.

    All spans are absolute. `provider` is None unless the attested use is fully valid.
    """

    id: str
    provider: Provider | None

    @property
    def span(self) -> Span:
        """The header, else the key, that first names this provider: where to show its status."""
        raise NotImplementedError

    @property
    def id_spans(self) -> tuple[Span, ...]:
        """Every spelling of the id in headers and keys (quotes included), for rename."""
        raise NotImplementedError

    @property
    def table(self) -> Table:
        """Its table; `table.entries["base_url"]` etc."""
        raise NotImplementedError

    @property
    def policy(self) -> Table | None:
        """Its `ratls_policy`, if that is a table."""
        raise NotImplementedError

    @property
    def policy_entry(self) -> Entry | None:
        """The entry `ratls_policy` whatever its value is."""
        raise NotImplementedError

    @property
    def policy_spans(self) -> Mapping[str, Span]:
        """Span of each policy entry by dotted key ("allowed_tdx_status", "min_tdx_tcb.mrseam")."""
        raise NotImplementedError

    @property
    def attested(self) -> bool:
        """Whether `use_ratls = true` stands here (the rest may still be wrong)."""
        raise NotImplementedError


class ConfigFile:
    """A read config. Spans and values are absolute and those of `text`."""

    text: str
    providers: Mapping[str, ProviderTable]
    references: tuple[Reference, ...]

    @property
    def root(self) -> Table:
        """The whole text as one table."""
        raise NotImplementedError

    @property
    def is_codex_config(self) -> bool:
        """Whether the text itself shows that it is one: it has `model_providers`."""
        raise NotImplementedError


def read(text: str, previous: ConfigFile | None = None) -> ConfigFile:
    """The meaning of `text`. Never raises.

    `previous`: an earlier reading of (mostly) the same text; makes this one fast, changes nothing.
    """
    raise NotImplementedError
