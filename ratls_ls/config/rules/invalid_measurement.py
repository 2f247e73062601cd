"""`invalid-measurement`: a pin that is no hex."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ratls_ls.config.edits import quoted
from ratls_ls.config.measurements import Measurement, digits_of
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="invalid-measurement",
    severity=Severity.ERROR,
    words="""
    A pin must be hex digits, with `0x` before them or not. ratls-ls does not attest under one that
    is not (a blank, a colon, `0X`); the RA-TLS fork drops such a `mrseam` or `mrtmrs` without a
    word, and then checks nothing.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy.min_tdx_tcb.mrseam = "0X1234"
    """,
)

_DROPPED = "the RA-TLS fork drops this pin and checks nothing"
_NO_DIGIT = re.compile(r"(?:0x)?[0-9a-fA-F]*(.)", re.DOTALL)
_BETWEEN_DIGITS = re.compile(r"[\s:_-]+")


def check(provider: ProviderTable) -> Iterator[Problem]:
    for found in provider.measurements:
        if found.digits is not None:
            continue
        plain = re.sub(r"\A0X", "0x", _BETWEEN_DIGITS.sub("", found.text))
        value = digits_of(plain)
        fixes: tuple[Fix, ...] = ()
        if value is not None and len(value) == found.size:
            fixes = (Fix("Write plain hex", (Edit(found.span, quoted(plain)),), preferred=True),)
        effect = _DROPPED if found.in_fork else "ratls-ls does not attest under this pin"
        message = f"{_fault(found.text)}: {effect}. Write {found.needed} hex digits"
        yield RULE.problem(found.span, message, *fixes, provider=provider.id)


def _fault(text: str) -> str:
    if text.startswith("0X"):
        return "`0X` is no prefix, `0x` is"
    if re.search(r"\s", text):
        return "Blanks are not hex digits"
    other = _NO_DIGIT.match(text)
    return f"`{shown(other[1])}` is no hex digit" if other is not None else "Not hex digits"


def in_fork(found: Measurement, effect: str) -> str:
    """What the RA-TLS fork does with digits that are too few or too many, to go on a sentence;
    `effect`: with bytes, so if their number is even."""
    if not found.in_fork:
        return ""
    is_odd = (found.length or 0) % 2 == 1
    return f"; {_DROPPED}" if is_odd else f"; the RA-TLS fork {effect}"
