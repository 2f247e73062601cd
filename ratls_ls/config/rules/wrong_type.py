"""`wrong-type`: a value of another type than its key has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ratls_ls.config.edits import quoted, weakening
from ratls_ls.config.keys import PROVIDER, PROVIDERS, REFERENCE_KEYS, KeyModel, Kind, Reader
from ratls_ls.config.kinds import fits, truth_of
from ratls_ls.config.lost import lost_in
from ratls_ls.config.measurements import digits_of
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.statuses import accepts_more_than_default
from ratls_ls.config.tables import ModelledKey, ProviderTable
from ratls_ls.config.toml.values import (
    Array,
    Invalid,
    Scalar,
    Table,
    Value,
    is_half_typed,
    string_of,
)
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="wrong-type",
    severity=Severity.ERROR,
    words="""
    A value of another type than its key has, such as a number for a string, or "true" in quotes.
    Whichever reads the key, Codex or its RA-TLS fork, refuses to start with such a file; ratls-ls
    does not attest.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = "true"
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    entry = provider.entry
    if not isinstance(entry.value, Table | Invalid):
        right = _converted(PROVIDER, Kind.TABLE, entry.value, provider.source(entry.value.span))
        yield RULE.problem(
            entry.value.span,
            f"Provider `{provider.id}` must be a table; Codex refuses to start",
            *_fixes(Kind.TABLE, entry.value, right),
            provider=provider.id,
        )
        return
    yield from _mismatches(provider, provider.own_keys)


def check_policy(provider: ProviderTable) -> Iterator[Problem]:
    return _mismatches(provider, provider.policy_keys)


def _mismatches(provider: ProviderTable, keys: Iterable[ModelledKey]) -> Iterator[Problem]:
    for key in keys:
        value, model = key.entry.value, key.model
        # Most are of the right type.
        if model is None or (isinstance(value, Scalar) and type(value.value) is model.type):
            continue
        if isinstance(value, Table) and model.kind is Kind.TABLE:
            continue
        for found in _mismatch(model, value, provider):
            yield found._replace(provider=provider.id)


def check_root(root: Table) -> Iterator[Problem]:
    for value, what in _outer_mismatches(root):
        yield RULE.problem(value.span, f"{what}; Codex refuses to start")
    profiles = root.get("profiles")
    if not isinstance(profiles, Table | Invalid | None):
        message = "`profiles` must be a table; the RA-TLS fork refuses to start"
        yield RULE.problem(profiles.span, message)


def _outer_mismatches(root: Table) -> Iterator[tuple[Value, str]]:
    providers = root.get(PROVIDERS)
    if not isinstance(providers, Table | Invalid | None):
        yield providers, "`model_providers` must be a table"
    profiles = root.get("profiles")
    values = [entry.value for entry in profiles] if isinstance(profiles, Table) else []
    for table in (root, *(value for value in values if isinstance(value, Table))):
        for key in REFERENCE_KEYS:
            value = table.get(key)
            # A table here is taken for a misspelt `model_providers`.
            if not isinstance(value, Table | None) and not _is_string(value):
                yield value, f"`{key}` must be a string, the id of a provider"


def _mismatch(model: KeyModel, value: Value, provider: ProviderTable) -> Iterator[Problem]:
    match model.kind:
        case Kind.STRING_LIST if isinstance(value, Array):
            for item in value.items:
                if not _is_string(item):
                    yield _wrong(
                        f"An element of `{model.name}`", model, Kind.STRING, item, provider
                    )
        case Kind.STRING_MAP if isinstance(value, Table):
            for entry in value:
                # What belongs elsewhere is no better in quotes.
                misplaced = lost_in(entry.key.name, entry.value, among_others=True) is not None
                if not (_is_string(entry.value) or misplaced or is_half_typed(entry.value)):
                    yield _wrong(
                        f"`{shown(entry.key.name)}`", model, Kind.STRING, entry.value, provider
                    )
        case kind if not fits(kind, value):
            yield _wrong(f"`{model.name}`", model, kind, value, provider)
        case Kind.INTEGER if _out_of_range(model.minimum, value):
            message = f"`{model.name}` must be from {model.minimum} to 2^63 - 1"
            # Codex itself takes any from 0.
            effect = f"; {_effect(model)}" if _out_of_range(0, value) else ""
            yield RULE.problem(value.span, message + effect)


def _is_string(value: Value) -> bool:
    return isinstance(value, Invalid) or (
        isinstance(value, Scalar) and isinstance(value.value, str)
    )


def _out_of_range(minimum: int | None, value: Value) -> bool:
    plain = value.value if isinstance(value, Scalar) else None
    return isinstance(plain, int) and not (minimum or 0) <= plain < 2**63


def _effect(model: KeyModel) -> str:
    """What comes of a value that cannot be read, by who reads it."""
    if model.is_extension:
        return "ratls-ls does not attest"
    if model.is_upstream_only:
        return "upstream Codex refuses to start"
    if Reader.UPSTREAM not in model.readers:
        return "the RA-TLS fork refuses to start"
    return "Codex refuses to start"


def _wrong(
    what: str, model: KeyModel, kind: Kind, value: Value, provider: ProviderTable
) -> Problem:
    message = f"{what} must be {kind.value}; {_effect(model)}"
    right = _converted(model, kind, value, provider.source(value.span))
    # In quotes it would be of the right type, but none of the words that there are.
    if kind is Kind.STRING and model.values:
        right = None
    return RULE.problem(value.span, message, *_fixes(kind, value, right))


def _fixes(kind: Kind, value: Value, new_text: str | None) -> tuple[Fix, ...]:
    if new_text is None:
        return ()
    title = _title(kind, new_text)
    # The only list of strings says what a policy accepts.
    meant = tuple(Scalar(value.span, word) for word in _words(value))
    weakens = kind is Kind.STRING_LIST and accepts_more_than_default(Array(value.span, meant))
    edit = Edit(value.span, new_text)
    return (Fix(weakening(title) if weakens else title, (edit,), preferred=not weakens),)


def _title(kind: Kind, new_text: str) -> str:
    """Text may be a secret, so it is not repeated."""
    match kind:
        case Kind.STRING | Kind.HEX:
            return "Put it in quotes"
        case Kind.TABLE:
            return "Write it as a table"
        case Kind.STRING_LIST:
            return "Write it as an array"
    return f"Write {new_text}"


def _converted(model: KeyModel, kind: Kind, value: Value, source: str | None) -> str | None:
    """What was probably meant. `source`: the text of `value`."""
    if isinstance(value, Array) and value.of_tables and source is not None:
        alone = kind is Kind.TABLE and len(value.items) == 1
        return source[1:-1] if alone else None
    if not isinstance(value, Scalar):
        return None
    plain = value.value
    match kind:
        case Kind.BOOLEAN if (truth := truth_of(value)) is not None:
            return str(truth).lower()
        case Kind.INTEGER if isinstance(plain, str) and plain.isascii() and plain.isdigit():
            return str(int(plain))
        case Kind.INTEGER if isinstance(plain, float) and plain.is_integer() and plain >= 0:
            return str(int(plain))
        case Kind.HEX if (
            isinstance(plain, int) and len(digits_of(source or "") or b"") == model.size
        ):
            return quoted(source or "")
        case Kind.STRING if isinstance(plain, bool):
            return quoted(str(plain).lower())
        case Kind.STRING if isinstance(plain, int | float):
            return quoted(str(plain))
        case Kind.STRING_LIST if words := _words(value):
            return f"[{', '.join(map(quoted, words))}]"
    return None


def _words(value: Value) -> list[str]:
    """What a string that stands for a list may be taken apart into."""
    return re.findall(r"[^\s,;]+", string_of(value) or "")
