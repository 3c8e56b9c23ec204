"""docs/security.md keeps up with the source: the flags that it explains, the files and limits that it names."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from streamlit import config

from inspector import budgets
from inspector.cli import cli
from inspector.isolation.worker import CROWDED
from inspector.live.runs import KEPT_RUNS
from inspector.samplers.limits import HELD_BYTES, RUN_BYTES, RUN_WORDS, WORDS
from inspector.ui.galleries import _REMEMBERED
from inspector.ui.keeping import MAX_BYTES, MAX_INPUTS
from inspector.ui.own_streamlit import SETTINGS
from inspector.workers import LIMITS, LONGEST_S, SLACK_S, WORKERS
from tests import limits_table

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


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


def test_the_table_of_limits_has_every_limit_by_its_value() -> None:
    """When this fails: make docs."""
    assert limits_table.on_the_page() == limits_table.table()


def test_the_table_of_limits_is_made_from_what_is_there() -> None:
    rows = limits_table.table().splitlines()
    assert "| `MAX_DEPTH` | JSON within JSON | 200 |" in rows
    assert any(row.startswith("| `tokens` | of one transcript") and "| 262,144 |" in row for row in rows)
    assert all(words for words in limits_table.numbers_of_a_budget().values())
    named = {name for names in limits_table.constants() for name in names}
    assert named == {
        name for name, value in vars(budgets).items() if name.isupper() and name[0] != "_" and isinstance(value, int)
    }, "a limit without a docstring"


def test_what_work_may_take_is_said_by_value() -> None:
    page = " ".join(PAGE.split())
    for sentence in (
        f"done by {WORKERS} worker processes",
        f"for {SLACK_S:.0f} seconds, and longer by size, at most {LONGEST_S:.0f};",
        f"not done after {CROWDED:.0f} times as many seconds on the clock",
        f"hold {LIMITS.memory // 2**20:,} MB of memory and answer {LIMITS.answer // 2**20} MB",
        f"told after {LIMITS.patience:.0f} seconds that the app is busy",
        f"One that holds {RUN_BYTES // 2**20} MB is stopped too.",
        f"ended {KEPT_RUNS} are kept, with {HELD_BYTES // 2**20:,} MB at most",
        f"the {MAX_INPUTS} that were looked at last, {MAX_BYTES // 2**20} MB of them at most",
        f"the last {_REMEMBERED._inputs}, {_REMEMBERED._size // 2**20} MB of them at most",
        f"ends after {config.get_option('server.disconnectedSessionTTL')} seconds",
        f"at most {tomllib.loads(SETTINGS.read_text())['server']['maxUploadSize']} MB (`inspector/.streamlit",
        WORDS,
        RUN_WORDS,
    ):
        assert sentence in page, sentence


SOURCES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").rglob("*.md")]
SOURCES += [path for path in (ROOT / "inspector").rglob("*.py") if path.parent.name != "vllm_side"]


def test_our_modules_are_run_without_the_current_folder() -> None:
    """``vllm_side`` is run by a Python that knows our package by the checkout that it is in."""
    for path in SOURCES:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.search(r"python -m inspector\.", line), f"{path.relative_to(ROOT)}: {line}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"\$\(PY\) -P -m inspector", makefile)
    assert not re.findall(r"\$\(PY\) -m inspector", makefile)


def test_what_the_readme_says_to_run_runs_nothing_of_the_folder(tmp_path: Path) -> None:
    commands = re.findall(r"^\$ python ([^\n>]*)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert commands
    mark = tmp_path / "mark.txt"
    for name in ("zipfile", "json", "typing", "click", "random", "tiktoken", "inspector", "__future__"):
        (tmp_path / f"{name}.py").write_text(f"import io; io.open({str(mark)!r}, 'a').write(__name__)\n")
    for command in commands:
        ran = subprocess.run(
            [sys.executable, *command.split()], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert not mark.exists(), mark.read_text()
