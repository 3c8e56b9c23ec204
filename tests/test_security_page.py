"""docs/security.md keeps up with the source: the flags that it explains, the files and limits that it names."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from inspector.cli import cli

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PYTHONS = {"-P"}
"""Options of Python itself."""


def options(command: click.Command) -> set[str]:
    """What a command and those beneath it take, but for help."""
    own = {
        name
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }
    beneath = command.commands.values() if isinstance(command, click.Group) else ()
    return own.union(*map(options, beneath))


def test_every_flag_of_the_app_is_explained() -> None:
    table = PAGE.split("| flag | what it opens |")[1].split("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[2:]]
    explained = {flag for row in rows for flag in re.findall(r"`(--[a-z-]+)`", row)}
    assert explained == options(cli.commands["app"])


def test_every_flag_that_is_named_exists() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE))
    assert named <= options(cli), named - options(cli)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(inspector/[\w./]+)`", PAGE))))
def test_every_file_that_is_named_exists(name: str) -> None:
    assert (ROOT / name).is_file()


def test_the_variables_that_are_named_are_read() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "inspector").rglob("*.py"))
    for name in set(re.findall(r"HARMONYLENS_[A-Z_]+", PAGE)):
        assert f'"{name}"' in source, name


def test_the_entry_points_that_are_named_are_looked_for() -> None:
    from inspector.samplers.sampler import GROUP as SAMPLERS
    from inspector.samplers.tools import GROUP as TOOLS

    assert set(re.findall(r"`(harmonylens\.[a-z]+)`", PAGE)) == {SAMPLERS, TOOLS}


def test_who_reads_the_readme_or_the_map_finds_it() -> None:
    for name in ("README.md", "ARCHITECTURE.md"):
        assert "](docs/security.md)" in (ROOT / name).read_text(encoding="utf-8")
