"""The house rules: style, types, the layers between rooms, and the size of files."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.house

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*ROOT.glob("inspector/**/*.py"), *ROOT.glob("pages/*.py")])
LONGEST = 450
"""Lines of a source file: about 400, with some room so that nobody splits a sentence."""


def check(*command: str) -> None:
    ran = subprocess.run(
        [Path(sys.executable).parent / command[0], *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, f"{' '.join(command)}\n{ran.stdout}{ran.stderr}"


def test_ruff_finds_nothing() -> None:
    check("ruff", "check", "--no-fix", ".")


def test_the_source_is_formatted() -> None:
    check("ruff", "format", "--check", ".")


def test_types_hold() -> None:
    check("mypy")


def test_rooms_import_only_from_the_floors_below() -> None:
    check("lint-imports")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_file_has_one_idea_and_says_which(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if not text.strip():
        return
    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert text.count("\n") <= LONGEST, "split it"


def test_the_lock_holds_every_dependency_in_a_version_that_is_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [Requirement(r) for r in [*project["dependencies"], *project["optional-dependencies"]["dev"]]]
    text = (ROOT / "requirements.lock").read_text()
    locked: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", text, flags=re.MULTILINE):
        locked.setdefault(name, []).append(version)
    for requirement in wanted:
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement} is not locked: run `make lock`"
        assert all(requirement.specifier.contains(v) for v in versions), f"{requirement}: run `make lock`"
    assert "://" not in text, "the lock names no host"


def test_only_the_screen_loads_streamlit() -> None:
    code = "import sys, inspector, inspector.cli; sys.exit('streamlit' in sys.modules)"
    check("python", "-c", code)
