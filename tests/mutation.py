"""Break the verifier and what decides who is contacted in every small way, one at a time, and see
whether their tests notice.

Each comparison is inverted, each check removed or forced, each limit moved, each error swallowed,
in a temporary copy; then the tests of its room run against the copy. A mutant that survives is a
promise that no test holds. Those in EQUIVALENT change nothing that can be observed, and say why.

    python tests/mutation.py                    every mutant
    python tests/mutation.py --count 40 --seed 7    a sample, as CI runs it
    python tests/mutation.py --list             what they are
"""

from __future__ import annotations

import argparse
import ast
import concurrent.futures
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Room:
    """`files`: a glob of what is broken; `tests`: those that are to notice, what mostly does first;
    `decides`: the functions that are broken, by name, if not all of them."""

    files: str
    tests: tuple[str, ...]
    decides: str = ""


# All that judges, what asks for evidence, and where it is decided who is contacted and what is sent
# or shown as verified.
ROOMS = (
    Room("ratls_ls/rats/*.py", ("tests/rats",)),
    Room("ratls_ls/atls/attester.py", ("tests/atls/test_attester.py",)),
    Room("ratls_ls/atls/backend.py", ("tests/session/test_requests.py",), "read get_extra_info"),
    Room("ratls_ls/atls/client.py", ("tests/session/test_withdrawn.py",), "go_on"),
    Room(
        "ratls_ls/monitor.py",
        ("tests/session/test_monitor.py", "tests/session/test_status.py"),
        "verified is_known _schedule _may_check _known _is_stale _is_recent",
    ),
    Room("ratls_ls/server/asking.py", ("tests/e2e/test_settings.py",)),
    Room(
        "ratls_ls/server/lifecycle.py",
        ("tests/e2e/test_settings.py", "tests/e2e/test_status.py"),
        "initialize initialized did_change_configuration",
    ),
    Room(
        "ratls_ls/server/server.py",
        ("tests/e2e/test_settings.py",),
        "configure _held_settings _take_answer _distrust",
    ),
    Room(
        "ratls_ls/session/session.py",
        (
            "tests/session/test_status.py",
            "tests/session/test_refusals.py",
            "tests/session/test_withdrawn.py",
            "tests/session/test_profiles.py",
        ),
        "open change save changed_on_disk _checking_what_is_saved_now _check_unasked"
        " _may_contact_unasked _require_trust is_meant",
    ),
    Room(
        "ratls_ls/session/files.py",
        ("tests/session/test_profiles.py", "tests/session/test_refusals.py"),
        "default_lacks is_saved read_from _below _noted note_own",
    ),
    Room(
        "ratls_ls/settings.py", ("tests/test_settings.py",), "stricter settings taken tells_trust"
    ),
)
SECONDS = 120  # a mutant that hangs is noticed
INVERSE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
EDGE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
# Mutants that change nothing which can be observed: as `--list` prints them, and why.
EQUIVALENT = {
    "attester.py: one more: 64": "how much is read at once changes nothing",
    "attester.py: one more: 1024 (again) (again)": "how much is read at once, too",
    "attester.py:post part 1 dropped: self._http.send(event) or b''": "h11 gives bytes for these",
    "attester.py:_answer one more: 0": "a status comes before every end",
    "attester.py:_answer forced True: isinstance(event, h11.EndOfMessage)": "h11 raises before",
    "attester.py:_answer not raised: raise _malformed('the quote answer ended early')": "as above",
    "backend.py:read part 1 dropped: len(data) > 1 and (not self._tls.idle_is_broken)": "what waits"
    " behind is seen in any case; to hold a byte back as well only takes longer",
    "event_log.py:rtmrs one more: 4": "a fifth register is never extended nor shown",
    "monitor.py:_is_stale part 1 dropped: status.state in (State.AFFIRMED, State.REJECTED) and"
    " status.checked_at is not None and (not self._is_recent(st": "what was judged has a time",
    "session.py:change part 0 dropped: entry.saved and self.settings.trigger is"
    " Trigger.ON_OPEN_AND_SAVE": "nobody is contacted unasked for what is not saved, as is tested",
    "settings.py:stricter flipped: True": "there are as many settings as fields, as is tested",
    "files.py:_noted forced False: entry.saved": "what is on disk is read again, with the same ids",
    "measurements.py:event_log flipped: True": "both sides of the strict zip are four by type",
}


@dataclass(frozen=True)
class Mutant:
    """One broken file. `name` is stable as long as the broken line is."""

    file: Path
    tests: tuple[str, ...]
    name: str
    text: str


def mutants() -> list[Mutant]:
    found: dict[str, Mutant] = {}
    for room in ROOMS:
        for file in sorted(ROOT.glob(room.files)):
            _break(file, room, found)
    return list(found.values())


def _break(file: Path, room: Room, found: dict[str, Mutant]) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    words = {id(part) for word in _words(tree) for part in ast.walk(word)}
    places = _places(tree)
    decides = room.decides.split()
    for number, node in enumerate(ast.walk(tree)):
        place = places.get(id(node), "")
        if id(node) in words or (decides and place not in decides):
            continue
        for what, changed in _changes(node):
            name = f"{file.name}:{place} {what}: {_shown(node)}"
            while name in found:
                name += " (again)"
            text = _with(tree, number, changed)
            found[name] = Mutant(file.relative_to(ROOT), room.tests, name, text)


def _places(tree: ast.AST) -> dict[int, str]:
    """The innermost function or class of each node."""
    return {
        id(part): owner.name
        for owner in ast.walk(tree)
        if isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for part in ast.walk(owner)
    }


def _words(tree: ast.AST) -> Iterator[ast.AST]:
    """What describes and does nothing: annotations, decorators, names for unions of types."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from node.decorator_list
                yield from filter(None, [node.returns])
            case ast.ClassDef():
                yield from node.decorator_list
            case ast.AnnAssign():
                yield node.annotation
            case ast.arg(annotation=ast.expr() as annotation):
                yield annotation
            case ast.Assign(value=ast.BinOp(left=ast.Name(), right=ast.Name()) as union):
                yield union


def _with(tree: ast.Module, number: int, changed: ast.AST) -> str:
    made = copy.deepcopy(tree)
    target = list(ast.walk(made))[number]

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return changed if node is target else self.generic_visit(node)

    return ast.unparse(ast.fix_missing_locations(Replace().visit(made)))


def _shown(node: ast.AST) -> str:
    text = ast.unparse(node.test if isinstance(node, ast.If | ast.IfExp | ast.While) else node)
    return " ".join(text.split())[:110]


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                for what, table in (("inverted", INVERSE), ("edge moved", EDGE)):
                    if other := table.get(type(operator)):
                        made = copy.deepcopy(node)
                        made.ops[index] = other()
                        yield what if len(node.ops) == 1 else f"{what} at {index}", made
        case ast.BoolOp():
            made = copy.deepcopy(node)
            made.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "and/or swapped", made
            for index in range(len(node.values)):
                made = copy.deepcopy(node)
                del made.values[index]
                yield f"part {index} dropped", made
        case ast.UnaryOp(op=ast.Not()):
            yield "negation dropped", copy.deepcopy(node.operand)
        case ast.While(test=ast.Constant()):
            return  # it is left by what it holds
        case ast.If() | ast.IfExp() | ast.While():
            for forced in (True, False):
                made = copy.deepcopy(node)
                made.test = ast.Constant(forced)
                yield f"forced {forced}", made
        case ast.Raise():
            yield "not raised", ast.Pass()
        case ast.comprehension(ifs=[_, *_]):
            made = copy.deepcopy(node)
            made.ifs = []
            yield "filter dropped", made
        case ast.Constant(value=bool(value)):
            yield "flipped", ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield "one more", ast.Constant(value + 1)
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            made = copy.deepcopy(node)
            made.op = ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd()
            yield "bits swapped", made
        case ast.ExceptHandler(type=ast.Tuple(elts=[_, _, *_] as kinds)):
            for index in range(len(kinds)):
                made = copy.deepcopy(node)
                assert isinstance(made.type, ast.Tuple)
                del made.type.elts[index]
                yield f"exception {index} not caught", made


class Bench:
    """A copy of the project in which one file at a time is broken."""

    def __init__(self, directory: Path) -> None:
        # As deep as the checkout, so that ../shared is found from the copy too.
        self.root = directory / "checkout"
        for part in ("ratls_ls", "tests"):
            shutil.copytree(
                ROOT / part, self.root / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(ROOT / "pyproject.toml", self.root)
        if (shared := ROOT.parent / "shared").is_dir():
            (directory / "shared").symlink_to(shared)

    def notices(self, mutant: Mutant) -> bool:
        """Whether the tests fail with this mutant. Those named after its file come first: they
        mostly do, and soon."""
        nearest = f"{mutant.tests[0]}/test_{mutant.file.name}"
        file = self.root / mutant.file
        whole = file.read_text("utf-8")
        file.write_text(mutant.text, "utf-8")
        try:
            near = (self.root / nearest).is_file() and self.fails(nearest)
            return near or self.fails(*mutant.tests)
        finally:
            file.write_text(whole, "utf-8")

    def fails(self, *tests: str) -> bool:
        """Whether these tests fail as things are."""
        options = ["-x", "-q", "-W", "error", "--import-mode=importlib", "-p", "no:cacheprovider"]
        options += ["-p", "pytest_asyncio.plugin", "-o", "asyncio_mode=auto"]
        options += ["-o", "asyncio_default_fixture_loop_scope=function"]
        # Without the project's options and plugins: they cost more than most mutants live.
        command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(self.root)]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(self.root), os.environ.get("PYTHONPATH", "")]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            # A file broken twice within its clock's tick must not run as it was before.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        try:
            run = subprocess.run(
                [*command, *options, *tests],
                cwd=self.root,
                env=environment,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return True
        return run.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, help="only a random sample of this size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--match", default="", help="only mutants whose name holds this")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="name the mutants, run nothing")
    options = parser.parse_args()
    every = mutants()
    if gone := EQUIVALENT.keys() - {mutant.name for mutant in every}:
        print("no longer mutants, take them out of EQUIVALENT:", *sorted(gone), sep="\n  ")
        return 1
    chosen = [m for m in every if options.match in m.name and m.name not in EQUIVALENT]
    if options.count is not None and options.count < len(chosen):
        chosen = random.Random(options.seed).sample(chosen, options.count)
    if options.list:
        print(*(mutant.name for mutant in chosen), sep="\n")
        return 0
    return _run(chosen, max(1, options.jobs))


def _run(chosen: list[Mutant], jobs: int) -> int:
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        benches = [Bench(_made(Path(name) / str(number))) for number in range(jobs)]
        if any(benches[0].fails(*tests) for tests in {mutant.tests for mutant in chosen}):
            print("the tests fail with nothing broken")
            return 2
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            parts = [
                pool.submit(_survivors, bench, chosen[number::jobs])
                for number, bench in enumerate(benches)
            ]
            survivors = [mutant for part in parts for mutant in part.result()]
    for mutant in survivors:
        print(f"SURVIVED {mutant.name}")
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants noticed")
    return 1 if survivors else 0


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def _survivors(bench: Bench, chosen: list[Mutant]) -> list[Mutant]:
    survivors = []
    for mutant in chosen:
        if not bench.notices(mutant):
            survivors.append(mutant)
            print(f"survived: {mutant.name}", flush=True)
    return survivors


if __name__ == "__main__":
    sys.exit(main())
