"""`similar-provider-ids`: two providers whose ids look alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ConfigFile
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="similar-provider-ids",
    severity=Severity.WARNING,
    words="""
    Ids are compared exactly. Two that look alike make it easy to use the one without attestation:
    they differ by case, by blanks or characters that do not show, or by letters of other scripts.
    For the file of a profile, the user's own config counts too.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true

    [model_providers.TEE]
    name = "TEE, not attested"
    base_url = "https://plain.example/v1"
    """,
)


# Letters of other scripts, in lower case, that look like Latin ones in either.
_LATIN = str.maketrans(
    "авсԁеһіјӏкмнорԛѕтѵԝхуαβεηικνορτυχγıѐёї",
    "abcdehijlkmhopqstvwxyabehikvoptuxyieei",
)


def check(file: ConfigFile, context: Context) -> Iterator[Problem]:
    base = context.base.by_id if context.base is not None else ()
    for id_, other in _alike(tuple(dict.fromkeys((*base, *file.tables)))):
        if id_ in base:  # told there
            continue
        message = (
            f"This looks like provider `{shown(other)}` but for case, blanks or the script of its"
            " letters: Codex takes them for two"
        )
        yield RULE.problem(file.providers[id_].id_spans[0], message, provider=id_)


@lru_cache(maxsize=64)  # asked at every keystroke, which seldom changes an id
def _alike(ids: tuple[str, ...]) -> list[tuple[str, str]]:
    """Those that look like one before, and the first of that look."""
    first: dict[str, str] = {}
    return [(id_, other) for id_ in ids if (other := first.setdefault(_look(id_), id_)) != id_]


def _look(name: str) -> str:
    """The same for all ids that look like this one."""
    if not name.isascii():
        seen = (c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
        name = "".join(seen).casefold().translate(_LATIN)
    return name.strip().casefold()
