"""What the words of a config mean, as Markdown.

Invariant: all of it comes from the model of the keys; nothing is said here that rules or schema
do not know.
"""

from __future__ import annotations

from ratls_ls.config.keys import KeyModel, built_into, find, reference
from ratls_ls.config.words import sentence
from ratls_ls.rats.policy import TcbStatus
from ratls_ls.rats.statuses import MEANINGS


def explain(topic: str) -> str:
    """The meaning of a dotted key under a provider, of one that names a provider, or of a TCB
    status; empty for anything else."""
    model = find(*topic.split(".")) or reference((topic,))
    return key(model) if model is not None else status(topic)


def key(model: KeyModel) -> str:
    """What a key means, what Codex does with it, and its default."""
    parts = [model.summary]
    if model.codex:
        parts.append(model.codex)
    if model.is_upstream_only:
        parts.append("Only upstream Codex reads it.")
    if model.default_told:
        parts.append(model.default_told)
    return "\n\n".join(parts)


def built_in(provider: str) -> str:
    """What the provider of one of BUILT_IN_IDS is."""
    return f"built into {built_into(provider)}, not attested"


def status(word: str) -> str:
    """What a TCB status means, and what mends it."""
    known = TcbStatus.parse(word)
    if known is None:
        return ""
    meaning = MEANINGS[known]
    return f"**{known.value}**\n\n{sentence(meaning.meaning)}\n\n{sentence(meaning.remedy)}"
