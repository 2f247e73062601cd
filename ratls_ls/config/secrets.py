"""Where a config holds what nobody else may see, for whoever shows its text.

Invariant: what is not known to be public is hidden, also where the text is broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from .keys import PROVIDER, PROVIDERS, REFERENCE_KEYS, KeyModel, Kind, find
from .span import Span
from .tables import ConfigFile
from .toml.values import (
    Array,
    Header,
    Invalid,
    Key,
    Scalar,
    Table,
    Value,
    is_half_typed,
    shifted_header,
    shifted_statement,
    string_of,
)
from .words import holds_key, shown

VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A key put where its variable's name belongs may well be letters and digits alone.
_CONVENTIONAL_NAME = re.compile(
    r"_*[A-Z]{1,20}[0-9]{0,3}(?:_+(?:[A-Z]{1,20}[0-9]{0,3}|[0-9]{1,3}))*_*"
)
_PUBLIC_TEXTS = (Kind.HEX, Kind.STRING_LIST)
_PUBLIC_STRINGS = ("name", "tee_type", "wire_api")
# Without query and the like, without what may be a password, and without a part of the path that is
# as long as a token.
_PUBLIC_URL = re.compile(
    r"(?i)https?://(?:\[[0-9a-f:.]*\]|[^/@?#:\s]*)(?::[0-9]*)?"
    r"(?:/(?!(?=[^/]*\d)[^/]{16})[^/@?#]*)*"
)
# What stands outside of keys and values: comments, text in quotes, words.
_UNREAD = re.compile(r"""#[^\n]*|["'][^"'\n]*["']?|[^\s"'=\[\]{},.#]+""")
_SHOWN = re.compile(r"[^\s\"']")
_NOT_A_LINE_BREAK = re.compile(r"[^\r\n]")


def variable_shown(name: str, key: str) -> str:
    """How to call the environment variable `name`, which stands at `key`, in a message."""
    if _CONVENTIONAL_NAME.fullmatch(name):
        return f"environment variable `{name}`"
    return f"the environment variable that `{shown(key)}` names"


def masked(file: ConfigFile) -> str:
    """The text of `file`, as long as it is, with • for every character of a secret and blanks for
    comments."""
    text = file.text
    tables = file.providers.values()
    ids = [table.id for table in tables if not is_half_typed(table.relative_entry.value)]
    words = _PUBLIC_WORDS.union(ids)
    pieces = []
    done = 0
    for span, public in sorted(_read(file)):
        if span.start < done:
            continue
        pieces.append(_unread(text[done : span.start], words))
        piece = span.of(text)
        # In the place of what is public, too, somebody may have put a key.
        pieces.append(piece if public and not holds_key(piece) else _SHOWN.sub("•", piece))
        done = span.end
    pieces.append(_unread(text[done:], words))
    return "".join(pieces)


def _read(file: ConfigFile) -> Iterator[tuple[Span, bool]]:
    """The keys and values that could be read, and whether they are public. A key that no value
    follows may be one itself that stands below its own, and so may what looks like a header: such
    are text that is not read."""
    for start, section in file.document.sections:
        path: tuple[str, ...] | None = () if not section.lost else None
        if section.header is not None:
            header = shifted_header(section.header, start)
            path = tuple(key.name for key in header.keys)
            if _is_whole(header, file.text):
                yield from ((key.span, True) for key in header.keys)
        for statement in section.statements:
            keys, value, _, _ = shifted_statement(statement, start)
            if not isinstance(value, Invalid) or _is_value(value, keys, file.text):
                yield from ((key.span, True) for key in keys)
            names = tuple(key.name for key in keys)
            yield from _in(value, (*path, *names) if path is not None else None)


def _is_whole(header: Header, text: str) -> bool:
    return header.span.of(text).endswith("]") and header.keys[0].span.of(text)[0] not in "\"'"


def _is_value(invalid: Invalid, keys: Sequence[Key], text: str) -> bool:
    """Whether `invalid`, which stands behind `keys`, is more than what base64 ends with."""
    has_text = invalid.assigned and invalid.span.start > keys[-1].span.end
    return has_text and invalid.span.of(text) != "="


def _in(value: Value, path: tuple[str, ...] | None) -> Iterator[tuple[Span, bool]]:
    match value:
        case Table():
            for entry in value:
                yield from ((key.span, True) for key in entry.keys)
                yield from _in(entry.value, (*path, entry.key.name) if path is not None else None)
        case Array():
            for item in value.items:
                yield from _in(item, path)
        case Scalar():
            yield value.span, path is not None and _is_public(path, value)
        case Invalid():
            pass  # as text that is not read


def _is_public(path: tuple[str, ...], value: Scalar) -> bool:
    match path:
        case ("model_providers", _, "env_http_headers", _):
            return _names_a_variable(value)
        case ("model_providers", _, *rest) if rest:
            model = find(*rest)
        case (name,) | ("profiles", _, name):
            if name in REFERENCE_KEYS:
                return True
            model = find(name) or find("ratls_policy", name)
        case _:
            return False
    return model is not None and _is_public_at(model, value)


def _is_public_at(model: KeyModel, value: Scalar) -> bool:
    text = string_of(value)
    if text is None:
        return model.kind in (Kind.BOOLEAN, Kind.INTEGER)
    if "\n" in text:
        return False
    if model.kind in _PUBLIC_TEXTS:
        return True
    if model.kind is Kind.URL:
        return _PUBLIC_URL.fullmatch(text) is not None
    return model.name in _PUBLIC_STRINGS or (model.name == "env_key" and _names_a_variable(value))


def _names_a_variable(value: Scalar) -> bool:
    name = string_of(value)
    return name is not None and _CONVENTIONAL_NAME.fullmatch(name) is not None


def _unread(text: str, words: frozenset[str]) -> str:
    """`text` without its comments, and of its words only those in `words`."""

    def replaced(found: re.Match[str]) -> str:
        piece = found[0]
        if piece.startswith("#"):
            return _NOT_A_LINE_BREAK.sub(" ", piece)
        is_public = piece.strip("\"'") in words and not holds_key(piece)
        return piece if is_public else _SHOWN.sub("•", piece)

    return _UNREAD.sub(replaced, text)


def _names(model: KeyModel) -> Iterator[str]:
    for child in model.children:
        yield child.name
        yield from child.values
        yield from _names(child)


def _beginnings(words: Iterable[str]) -> frozenset[str]:
    """`words`, also half typed."""
    return frozenset(word[:end] for word in words for end in range(len(word) + 1))


_PUBLIC_WORDS = _beginnings(
    (PROVIDERS, "profiles", "true", "false", *REFERENCE_KEYS, *_names(PROVIDER))
)
