"""Where a config holds what nobody else may see, for whoever shows its text.

Invariant: what is not known to be public is hidden, also where the text is broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from .keys import PROVIDER, KeyModel, Kind, find
from .span import Span
from .tables import ConfigFile
from .values import Array, Entry, Scalar, Table, Value, string_of
from .words import shown

VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A key put where its variable's name belongs may well be letters and digits alone.
_CONVENTIONAL_NAME = re.compile(
    r"_*[A-Z]{1,20}[0-9]{0,3}(?:_+(?:[A-Z]{1,20}[0-9]{0,3}|[0-9]{1,3}))*_*"
)
_NAMES_OF_VARIABLES = ("env_key", "env_http_headers")
_SECRET_KEYS = ("experimental_bearer_token",)
# In a line that is no TOML: text in quotes, and long words with a digit, as tokens are.
_TEXT = re.compile(r"""(?<=")[^"\n]+|(?<=')[^'\n]+|(?=[^\s"'=\[\]{},.]*\d)[^\s"'=\[\]{},.]{16,}""")
_SHOWN = re.compile(r"[^\s\"']")


def variable_shown(name: str, key: str) -> str:
    """How to call the environment variable `name`, which stands at `key`, in a message."""
    if _CONVENTIONAL_NAME.fullmatch(name):
        return f"environment variable `{name}`"
    return f"the environment variable that `{shown(key)}` names"


def masked(file: ConfigFile) -> str:
    """The text of `file`, as long as it is, with • for every character of a secret."""
    text = file.text
    for span in chain(_secrets(file), _broken(file)):
        text = text[: span.start] + _SHOWN.sub("•", span.of(text)) + text[span.end :]
    return text


def _secrets(file: ConfigFile) -> Iterator[Span]:
    for provider in file.providers.values():
        yield from _of(provider.entry, PROVIDER)


def _of(entry: Entry, model: KeyModel | None) -> Iterator[Span]:
    value = entry.value
    if model is not None and model.children and isinstance(value, Table):
        for inner in value:
            yield from _of(inner, model.child(inner.key.name))
        return
    for found in _leaves(value):
        if model is None or not _is_public(found, model):
            yield found.span


def _leaves(value: Value) -> Iterator[Value]:
    """The values in `value` that hold no others."""
    match value:
        case Table():
            for entry in value:
                yield from _leaves(entry.value)
        case Array():
            for item in value.items:
                yield from _leaves(item)
        case _:
            yield value


def _is_public(value: Value, model: KeyModel) -> bool:
    if model.name in _SECRET_KEYS or model.kind in (Kind.TABLE, Kind.STRING_MAP):
        return model.name in _NAMES_OF_VARIABLES and _names_a_variable(value)
    if model.name in _NAMES_OF_VARIABLES:
        return _names_a_variable(value)
    if model.kind is Kind.URL:
        return isinstance(value, Scalar) and "@" not in str(value.value)
    return True


def _names_a_variable(value: Value) -> bool:
    name = string_of(value)
    return name is not None and _CONVENTIONAL_NAME.fullmatch(name) is not None


def _broken(file: ConfigFile) -> Iterator[Span]:
    """What could be a secret in the lines that cannot be read, or only by themselves."""
    for issue in file.document.issues:
        path = issue.path or ()
        model = find(*path[2:]) if path[:1] == ("model_providers",) and len(path) > 2 else None
        if model is not None and _is_public(Scalar(issue.span, ""), model):
            continue
        start = file.text.rfind("\n", 0, issue.span.start) + 1
        end = file.text.find("\n", issue.span.end)
        line = Span(start, end if end != -1 else len(file.text))
        for found in _TEXT.finditer(file.text, line.start, line.end):
            yield Span(*found.span())
        if model is not None:
            equals = file.text.find("=", *line)
            yield Span(equals + 1 if equals != -1 else line.start, line.end)
