"""The pages that people read keep up with the source: README, ARCHITECTURE, the performance table, docstrings."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_every_room_is_on_the_map_and_every_place_on_the_map_exists() -> None:
    house = ARCHITECTURE.split("```")[1]
    places = re.findall(r"^  ([a-z_]+(?:/|\.py))", house, flags=re.MULTILINE)
    for place in places:
        assert (ROOT / "inspector" / place).exists(), f"{place} is on the map but not in the source"
    rooms = {p.name + "/" for p in (ROOT / "inspector").iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    assert rooms <= set(places), f"not on the map: {sorted(rooms - set(places))}"


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", ARCHITECTURE))))
def test_files_that_the_architecture_names_exist(name: str) -> None:
    assert list((ROOT / "inspector").glob(f"**/{name}")) or (ROOT / name).exists(), name


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README + ARCHITECTURE))))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists(), link


VLLM_OPTIONS = {"--logits-processors", "--max-model-len", "--dtype", "--enforce-eager", "--no-enable-chunked-prefill"}
"""What the README tells to give to vLLM's server."""


def test_the_commands_of_the_readme_exist() -> None:
    from inspector.cli import cli

    for words in re.findall(r"^\$ harmonylens ([a-z]+)[^#\n]*", README, flags=re.MULTILINE):
        assert CliRunner().invoke(cli, [words, "--help"]).exit_code == 0, words
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:^|`)make ([a-z]+)\b", README, flags=re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_options_of_the_readme_exist() -> None:
    from inspector.cli import cli

    commands = ["inspect", "scan", "rules", "app", "export", "gallery build", "gallery pack", "sample", "ab"]
    helps = "".join(CliRunner().invoke(cli, [*command.split(), "--help"]).output for command in commands)
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)):
        assert option in helps or option in VLLM_OPTIONS, option


def test_a_server_started_by_hand_gets_what_the_app_gives_it() -> None:
    from inspector.samplers.vllm_python import WITHOUT_GPU
    from inspector.ui.live_servers import SMALL

    settings = [
        f"{name}={value}" for name, value in WITHOUT_GPU.items() if name.startswith(("VLLM_CPU", "OMP", "TORCH"))
    ]
    assert f"`{' '.join(settings)}`" in README
    given = set(SMALL.split()) - {"--max-num-seqs", "64"}
    assert given <= set(README.split("`--max-model-len")[1].split("`")[0].split()) | {"--max-model-len"}


def test_the_python_of_the_readme_says_what_it_says() -> None:
    code = README.split("```python")[1].split("```")[0]
    names: dict[str, object] = {}
    for line in code.strip().splitlines():
        statement, _, said = line.partition("#")
        expected = re.match(r"\s*('[^']*'|\[.*\])", said)
        if expected is None:
            exec(statement, names)
        else:
            assert repr(eval(statement, names)) == expected.group(1), line


def test_the_performance_table_is_the_recorded_one() -> None:
    ran = subprocess.run(
        [sys.executable, "benchmarks/readme_table.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("module", ["inspector", "inspector.inspection", "inspector.samplers"])
def test_examples_in_docstrings(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted
    assert result.failed == 0


def test_the_engine_imports_no_streamlit() -> None:
    code = "import sys, inspector.inspection, inspector.scan, inspector.report; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
