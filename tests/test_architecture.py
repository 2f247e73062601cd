"""The architecture, held to the code: who imports whom, and what stays out of the pure core."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

from ratls_ls.server.features import FEATURES

ROOT = Path(__file__).parents[1] / "ratls_ls"

# From the bottom up. A room imports from rooms below its own line only.
LAYERS = (
    {"bounded"},
    {"rats", "private_files", "turns", "stamps", "cached"},
    {"config"},
    {"atls", "settings"},
    {"status"},
    {"language", "history", "audit"},
    {"monitor"},
    {"lsp", "simulator"},
    {"session"},
    {"server"},
    {"cli"},
    {"__main__"},
)
HEIGHT = {room: height for height, layer in enumerate(LAYERS) for room in layer}

PURE = ("rats/", "config/", "language/", "status.py", "settings.py", "lsp/json_text.py")
IMPURE_MODULES = {
    "asyncio",
    "h11",
    "httpcore",
    "httpx",
    "io",
    "logging",
    "lsprotocol",
    "OpenSSL",
    "os",
    "pygls",
    "random",
    "secrets",
    "socket",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
}
IMPURE_BUILTINS = {"open", "input", "print", "__import__"}
CLOCKS = {"now", "utcnow", "today"}
# What a path can do that asks the disk.
OF_FILES = {
    *("chmod", "cwd", "exists", "glob", "home", "is_dir", "is_file", "is_symlink", "iterdir"),
    *("lstat", "mkdir", "open", "read_bytes", "read_text", "readlink", "rename", "resolve"),
    *("rglob", "rmdir", "samefile", "stat", "symlink_to", "touch", "unlink", "walk"),
    *("write_bytes", "write_text"),
}
READS_ITS_ROOT = "rats/quote.py"  # which comes with it
KNOWS_PATHS = (READS_ITS_ROOT, "settings.py")

# Libraries that are known in some rooms only.
KNOWN_IN = {
    "argparse": ("cli/",),
    "dcap_qvl": ("rats/quote.py",),
    "httpcore": ("atls/",),
    "httpx": ("atls/",),
    "lsprotocol": ("lsp/", "server/"),
    "pygls": ("lsp/", "server/", "cli/demo/"),
    "rich": ("cli/",),
    "ratls_ls.simulator": ("simulator/", "cli/"),
    "tomli": ("config/toml/",),
    "tree_sitter": ("config/toml/",),
}
PUBLIC_ALL_THE_SAME = {"_replace", "_exit"}  # documented: named tuples, os
# What an editor must not wait for before the first diagnostic is there, and before `initialize` is
# answered.
NOT_AT_START = ("rich", "tomlkit", "ratls_ls.simulator", "ratls_ls.cli")
NOT_BEFORE_THE_SESSION = (
    *("ratls_ls.session", "ratls_ls.atls", "ratls_ls.rats", "ratls_ls.language"),
    *("cryptography", "dcap_qvl", "httpx", "tree_sitter"),
)


@dataclass(frozen=True)
class Module:
    path: Path

    @property
    def name(self) -> str:
        """As "config/rules/rule.py"."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def dotted(self) -> str:
        """As it is imported."""
        return ".".join(
            ("ratls_ls", *self.path.relative_to(ROOT).with_suffix("").parts)
        ).removesuffix(".__init__")

    @property
    def room(self) -> str:
        return self.name.split("/", maxsplit=1)[0].removesuffix(".py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text("utf-8"))

    def imports(self) -> Iterator[str]:
        """Whatever is imported anywhere in it, as absolute dotted names."""
        package = ["ratls_ls", *self.name.split("/")[:-1]]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                near = package[: len(package) - node.level + 1] if node.level else []
                source = ".".join([*near, *([node.module] if node.module else [])])
                yield from (f"{source}.{alias.name}" for alias in node.names)

    def rooms(self) -> set[str]:
        """The rooms of this project that it imports from."""
        own = (name.split(".") for name in self.imports() if name.startswith("ratls_ls."))
        return {parts[1] for parts in own} - {self.room, "__version__"}


MODULES = [Module(path) for path in sorted(ROOT.rglob("*.py"))]
PURE_MODULES = [module for module in MODULES if module.name.startswith(PURE)]


def by_name(module: Module) -> str:
    return module.name


@pytest.mark.parametrize("module", MODULES, ids=by_name)
class TestEveryModule:
    def test_opens_with_what_it_is(self, module: Module) -> None:
        assert ast.get_docstring(module.tree)

    def test_imports_point_downward(self, module: Module) -> None:
        if module.name != "__init__.py":
            upward = {room for room in module.rooms() if HEIGHT[room] >= HEIGHT[module.room]}
            assert not upward

    def test_libraries_stay_where_they_are_known(self, module: Module) -> None:
        for name in module.imports():
            for library, rooms in KNOWN_IN.items():
                if f"{name}.".startswith(f"{library}."):
                    assert module.name.startswith(rooms), name

    def test_no_underscore_name_of_another_module(self, module: Module) -> None:
        for name in module.imports():
            assert not any(map(is_private, name.split("."))), name
        own = set(names_defined(module.tree))
        foreign = {
            node.attr
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and is_private(node.attr)
        }
        assert foreign - own <= PUBLIC_ALL_THE_SAME


@pytest.mark.parametrize("module", PURE_MODULES, ids=by_name)
def test_the_core_is_pure(module: Module) -> None:
    imported = {name.split(".")[0] for name in module.imports()}
    assert not imported & IMPURE_MODULES
    assert "pathlib" not in imported or module.name in KNOWS_PATHS
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="date" | "datetime"), attr=name):
                assert name not in CLOCKS, f"line {node.lineno} reads a clock"
            case ast.Attribute(attr=name) if module.name != READS_ITS_ROOT:
                assert name not in OF_FILES, f"line {node.lineno} asks the disk"
            case ast.Name(id=name):
                assert name not in IMPURE_BUILTINS, f"line {node.lineno} is not pure"


def test_the_reader_of_toml_knows_nothing_of_configs() -> None:
    known = ("ratls_ls.cached", "ratls_ls.config.record", "ratls_ls.config.span")
    for module in MODULES:
        if module.name.startswith("config/toml/"):
            own = [name for name in module.imports() if name.startswith("ratls_ls.")]
            assert all(name.startswith((*known, "ratls_ls.config.toml")) for name in own)


def test_nothing_imports_in_a_circle() -> None:
    """Nor for the types alone: what two modules know of each other is one thing."""
    names = {module.dotted for module in MODULES}

    def imported(module: Module) -> set[str]:
        parts = (name.split(".") for name in module.imports())
        found = {".".join(each[:end]) for each in parts for end in range(len(each) + 1)} & names
        return {name for name in found if not f"{module.dotted}.".startswith(f"{name}.")}

    TopologicalSorter({module.dotted: imported(module) for module in MODULES}).prepare()


def test_every_room_has_a_layer() -> None:
    assert {module.room for module in MODULES} - {"__init__"} == set(HEIGHT)


def test_the_document_has_every_room() -> None:
    tree = (ROOT.parent / "docs" / "architecture.md").read_text("utf-8").split("```")[1]
    named = re.findall(r"^  (\w+)(?:/|\.py) ", tree, re.MULTILINE)
    assert sorted(named) == sorted(set(HEIGHT) - {"__main__"})


@pytest.mark.parametrize(
    ("loads", "is_there", "is_not"),
    [
        ("", "ratls_ls.server.features", NOT_BEFORE_THE_SESSION),
        ("import ratls_ls.session, ratls_ls.server.language", "httpx", NOT_AT_START),
    ],
    ids=["initialize", "first-diagnostic"],
)
def test_the_server_starts_without_what_it_does_not_need_yet(
    loads: str, is_there: str, is_not: tuple[str, ...]
) -> None:
    start = "from ratls_ls.server import Options, create; create(Options())"
    code = f"import sys; {start}; {loads or 'pass'}; print('\\n'.join(sys.modules))"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert is_there in loaded
    assert [name for name in loaded if f"{name}.".startswith(dotted(is_not))] == []


def test_every_feature_has_its_handler() -> None:
    for method, module, handler, _ in FEATURES:
        found = import_module(f"ratls_ls.server.{module}")
        assert callable(getattr(found, handler)), method


def dotted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}." for name in names)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def names_defined(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                yield name
