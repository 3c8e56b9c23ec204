"""Every regular expression in the source: where it stands, what it is, and how it is used.

A pattern is the first argument of a call such as ``re.compile`` or ``regex.search``. It is worked out in the namespace
of its module, so that constants and f-strings of constants are known; patterns of a table are taken from the table.
What is known only when the program runs must stand in :data:`AT_RUN_TIME` with an example of it.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import regex

ROOT: Final = Path(__file__).resolve().parents[2]

_CALLS: Final = {"compile", "match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split", "template"}
_MATCHED: Final = {"match", "fullmatch"}
_SEARCHED: Final = _CALLS - _MATCHED - {"compile", "template"}
_ASKED: Final = {"pattern", "flags", "groups", "groupindex"}
"""Attributes of a compiled pattern that run nothing."""

AT_RUN_TIME: Final[dict[tuple[str, str], str]] = {
    ("inspector/gallery/store.py", "fail"): r"\s*\[*\"?story\b",
    ("inspector/harmony/strict_escapes.py", "_pattern"): r'["\\\0\x7f-\xa0]',
    ("inspector/ingest/record.py", "*"): r'"token_ids"\s*:\s*',
    ("inspector/ingest/records.py", "_known_keys"): r'"token_ids"\s*:',
}
"""Patterns made while the program runs, by file and function (``*``: any), with an example; what is put in is a word of
the source or escaped, so the example grows as all of them."""


_Uses = dict[tuple[str, str], set[str]]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One regular expression of the source.

    Attributes:
        file: its file, from the root.
        line: its line there.
        name: the constant that holds it, or the function that it stands in.
        text: the pattern.
        flags: of its module.
        searched: used with search, finditer, findall, sub or split, or handed on to who knows whom.
        whole: only used with fullmatch.
        module: ``re`` or ``regex``.
        run_time: made while the program runs; ``text`` is an example.
    """

    file: str
    line: int
    name: str
    text: str | bytes
    flags: int
    searched: bool
    whole: bool
    module: str = "re"
    run_time: bool = False

    @property
    def place(self) -> str:
        """File and name, which stay when lines move."""
        return f"{self.file}: {self.name}"


class UnknownPattern(LookupError):
    """A pattern that neither its module nor :data:`AT_RUN_TIME` tells."""


def patterns(root: Path = ROOT) -> list[Pattern]:
    """Every pattern of ``inspector/`` and ``pages/``, by file and line."""
    files = sorted([*root.glob("inspector/**/*.py"), *root.glob("pages/*.py")])
    sources = {path.relative_to(root).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in files}
    uses = _uses(sources)
    return [one for file, tree in sources.items() for one in _File(file, tree, uses).patterns()]


class _File:
    def __init__(self, file: str, tree: ast.Module, uses: _Uses) -> None:
        self._file = file
        self._tree = tree
        self._uses = uses
        self._modules = _imported(tree)

    def patterns(self) -> Iterator[Pattern]:
        if not self._modules:
            return
        assigned = _assigned(self._tree)
        tables: set[str] = set()
        for call, function in _calls(self._tree, self._modules):
            name = assigned.get(call)
            table = _table(self._tree, call) if name is None and not function else None
            if table is None:
                yield self._one(call, function, name)
            elif table not in tables:
                tables.add(table)
                yield from self._of_table(call, table)

    def _one(self, call: ast.Call, function: str, name: str | None) -> Pattern:
        assert isinstance(call.func, ast.Attribute)
        how = call.func.attr
        text, flags = self._worked_out(call)
        run_time = text is None
        if text is None:
            text = AT_RUN_TIME.get((self._file, function), AT_RUN_TIME.get((self._file, "*")))
            if text is None:
                raise UnknownPattern(
                    f"{self._file}:{call.lineno}: this pattern is known only when the program runs: "
                    f"give an example of it in AT_RUN_TIME of tests/patterns/finding.py."
                )
        ways = {how} if how != "compile" else self._ways(name, function, call)
        return Pattern(
            self._file,
            call.lineno,
            name or function or f"line {call.lineno}",
            text,
            flags,
            bool(ways & _SEARCHED) or not ways,
            ways == {"fullmatch"},
            self._module(call),
            run_time,
        )

    def _of_table(self, call: ast.Call, table: str) -> Iterator[Pattern]:
        module = self._imported_module()
        for number, found in enumerate(_compiled(getattr(module, table))):
            yield Pattern(
                self._file,
                call.lineno,
                f"{table}[{number}]",
                found.pattern,
                found.flags,
                True,
                False,
                self._module(call),
            )

    def _ways(self, name: str | None, function: str, call: ast.Call) -> set[str]:
        """The methods with which a compiled pattern is used; empty when that cannot be seen."""
        if name is not None:
            return self._uses.get(_key(self._file, name), set())
        parent = next((n for n in ast.walk(self._tree) if isinstance(n, ast.Attribute) and n.value is call), None)
        return {parent.attr} if parent is not None else set()

    def _module(self, call: ast.Call) -> str:
        assert isinstance(call.func, ast.Attribute)
        assert isinstance(call.func.value, ast.Name)
        return self._modules[call.func.value.id]

    def _worked_out(self, call: ast.Call) -> tuple[str | bytes | None, int]:
        """The text and the flags of a pattern; None when the module does not know the text."""
        given = next((k.value for k in call.keywords if k.arg == "flags"), None)
        assert isinstance(call.func, ast.Attribute)
        if given is None and call.func.attr in ("compile", "search", "match", "fullmatch", "findall", "finditer"):
            place = 1 if call.func.attr == "compile" else 2
            given = call.args[place] if len(call.args) > place else None
        flags = int(self._value(given)) if given is not None else 0
        try:
            text = self._value(call.args[0])
        except (NameError, ImportError):
            return None, flags
        assert isinstance(text, (str, bytes)), f"{self._file}:{call.lineno}: not the text of a pattern"
        return text, flags

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        code = compile(ast.Expression(node), self._file, "eval")
        return eval(code, vars(self._imported_module()))

    def _imported_module(self) -> Any:
        return importlib.import_module(self._file.removesuffix(".py").replace("/", "."))


def _imported(tree: ast.Module) -> dict[str, str]:
    """The names under which a file knows ``re`` and ``regex``."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({a.asname or a.name: a.name for a in node.names if a.name in ("re", "regex")})
        elif isinstance(node, ast.ImportFrom) and node.module in ("re", "regex"):
            raise UnknownPattern(
                f"line {node.lineno}: import {node.module} as a whole, so that its patterns are found."
            )
    return names


def _calls(tree: ast.Module, modules: dict[str, str]) -> Iterator[tuple[ast.Call, str]]:
    """The calls that make or run a pattern, with the function that they stand in."""

    def visit(node: ast.AST, function: str) -> Iterator[tuple[ast.Call, str]]:
        inside = node.name if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in modules
            and node.func.attr in _CALLS
        ):
            yield node, inside
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)

    return visit(tree, "")


def _assigned(tree: ast.Module) -> dict[ast.AST, str]:
    """The constants to which a value is given, by the value."""
    found: dict[ast.AST, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
            found[node.value] = node.target.id
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found[node.value] = node.targets[0].id
    return found


def _table(tree: ast.Module, call: ast.Call) -> str | None:
    """The constant in whose value a call stands."""
    for value, name in _assigned(tree).items():
        if any(node is call for node in ast.walk(value)):
            return name
    return None


def _compiled(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, (re.Pattern, type(regex.compile("")))):
        yield value
    elif isinstance(value, (tuple, list, set, frozenset)):
        for one in value:
            yield from _compiled(one)
    elif isinstance(value, dict):
        yield from _compiled(list(value.items()))


def _uses(sources: dict[str, ast.Module]) -> _Uses:
    """What is done with each name that may hold a pattern; what is handed on counts as searched.

    By file and name; a name without an underscore is everybody's, under the file "".
    """
    found: _Uses = {}
    for file, tree in sources.items():
        owners: set[ast.AST] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Name, ast.Attribute)):
                owners.add(node.value)
                name = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                if node.attr in _CALLS:
                    found.setdefault(_key(file, name), set()).add(node.attr)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node not in owners:
                found.setdefault(_key(file, node.id), set()).add("search")
    return found


def _key(file: str, name: str) -> tuple[str, str]:
    return (file if name.startswith("_") else "", name)
