"""All static problems of a config.

Invariant: pure and total: any text gives problems, none an exception.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable

from .context import Context
from .problem import Edit, Fix, Problem
from .read import read
from .rules import context_problems, file_problems
from .span import Span
from .tables import ConfigFile, Part

__all__ = ["Context", "apply", "check", "file_problems", "fix_all", "mend", "problems_of"]

_ROUNDS = 20


def check(file: ConfigFile, context: Context | None = None) -> list[Problem]:
    """The problems of `file`, in order of their place. `context` None: Context(); its `base` is
    what `file` was read over."""
    context = context or Context()
    found = file_problems(file, context)
    context = context.of_part
    for base, part in file.parts:
        found += (problem.shifted(base) for problem in problems_of(part, context))
    found.sort(key=lambda problem: (problem.span, problem.code))
    return found


def fix_all(text: str, context: Context | None = None) -> str:
    """`text` with every safe fix applied until none is left; as it is if it is not TOML."""
    return mend(text, context)[0]


def mend(
    text: str, context: Context | None = None, wanted: Callable[[str], bool] = bool
) -> tuple[str, Counter[str]]:
    """As `fix_all`, for the `wanted` codes; and how many problems of each code that mends."""
    file = read(text, base=context.base if context is not None else None)
    mended: Counter[str] = Counter()
    for _ in range(_ROUNDS):
        if file.document.issues:
            break
        fixes = [
            (problem.code, fix)
            for problem in check(file, context)
            for fix in problem.fixes
            if fix.safe and wanted(problem.code)
        ]
        if not fixes:
            break
        edits, codes = _together(fixes)
        mended.update(codes)
        file = read(apply(file.text, edits), file, file.base)
    return file.text, mended


def apply(text: str, edits: Iterable[Edit]) -> str:
    """`text` with `edits`, none of which overlap, made."""
    for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
        text = text[: edit.span.start] + edit.new_text + text[edit.span.end :]
    return text


def problems_of(part: Part, context: Context) -> tuple[Problem, ...]:
    """The problems that `part` has by itself; spans count from its start. `context`: one that is
    `of_part`."""
    contextual = part.contextual.get(context)
    if contextual is None:
        contextual = tuple(
            problem for table in part.providers for problem in context_problems(table, context)
        )
        part.contextual[context] = contextual
    return part.problems + contextual


def _together(fixes: Iterable[tuple[str, Fix]]) -> tuple[list[Edit], list[str]]:
    """The edits of as many of `fixes` as leave each other alone, and the codes of those."""
    taken: list[Edit] = []
    codes = []
    for code, fix in fixes:
        if all(_is_free(edit.span, taken) for edit in fix.edits):
            for edit in fix.edits:
                insort(taken, edit, key=_span)
            codes.append(code)
    return taken, codes


def _is_free(span: Span, taken: list[Edit]) -> bool:
    """Whether `span` keeps off all of `taken`, which are sorted and keep off each other."""
    index = bisect_left(taken, span, key=_span)
    return not any(_touch(span, edit.span) for edit in taken[max(index - 1, 0) : index + 1])


def _touch(one: Span, other: Span) -> bool:
    """Spans of text may be next to each other; where a place to insert at is, nothing else may."""
    if one.start == one.end or other.start == other.end:
        return one.start <= other.end and other.start <= one.end
    return one.start < other.end and other.start < one.end


def _span(edit: Edit) -> Span:
    return edit.span
