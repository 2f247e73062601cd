"""One user's session: the files, the settings, and everything that follows from them.

Invariant: untrusted, nothing is contacted and no key is read. Unasked, only what is saved, valid
and trusted is contacted. One document's fault never touches another's.
"""

from .files import OpenFile
from .places import codex_home, context_of, home_doubt
from .session import Session
from .shapes import diagnostic_json

__all__ = [
    "OpenFile",
    "Session",
    "codex_home",
    "context_of",
    "diagnostic_json",
    "home_doubt",
]
