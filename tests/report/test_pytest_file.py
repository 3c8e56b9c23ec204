"""The generated test file passes where the release does what was inspected, and fails where it does anything else."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from exporting import SAMPLES, hostile

from inspector.inspection import NEWEST
from inspector.releases import Release, available
from inspector.report.exports import FORMATS, file_name
from inspector.report.pytest_file import export_pytest, reproduces
from inspector.report.subject import Subject, inspected_sample
from inspector.tokens import vocabulary_file

OLDEST = "openai-harmony 0.0.8"
ONCE = """import functools
import openai_harmony
openai_harmony.load_harmony_encoding = functools.cache(openai_harmony.load_harmony_encoding)
"""


def run(folder: Path, release: Release) -> dict[str, int]:
    """What pytest counts in a folder of generated files, with this release and nothing of ours."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "HARMONYLENS"))}
    env |= {"TIKTOKEN_ENCODINGS_BASE": str(vocabulary_file().parent), "PYTHONPATH": str(release.location.parent)}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", ".", "."],
        cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    last = ran.stdout.strip().splitlines()[-1]
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", last)}
    assert counts, ran.stdout + ran.stderr
    return counts


def release_called(title: str) -> Release:
    found = next((release for release in available() if release.title == title), None)
    if found is None:
        reason = f"{title} is not on this machine: run `harmonylens releases add {title.replace(' ', '==')}`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Subject]]:
    folder = tmp_path_factory.mktemp("generated")
    subjects = [*map(inspected_sample, SAMPLES), hostile()]
    for subject in subjects:
        (folder / file_name(subject, FORMATS["pytest"])).write_bytes(export_pytest(subject))
    # Each file loads the vocabulary for itself, half a second each time; here once is enough.
    (folder / "conftest.py").write_text(ONCE)
    return folder, subjects


@pytest.mark.differential
@pytest.mark.parametrize("title", [NEWEST, OLDEST])
def test_every_sample_reproduces_with_the_library_alone(generated: tuple[Path, list[Subject]], title: str) -> None:
    folder, subjects = generated
    counts = run(folder, release_called(title))
    verdicts = [subject.inspection.verdict(title) for subject in subjects[:-1]]
    # An error is reproduced twice: by the whole parse and by the stream. The hostile one has ids that are no tokens.
    expected = sum(1 if verdict.ok else 2 for verdict in verdicts) + 1
    assert counts.get("failed", 0) == counts.get("error", 0) == 0
    assert counts["passed"] == expected


@pytest.mark.differential
def test_another_error_another_place_and_other_messages_fail(tmp_path: Path) -> None:
    broken = next(s for s in SAMPLES if NEWEST in s.errors)
    fine = next(s for s in SAMPLES if s.name == "healthy-answer")
    text = export_pytest(inspected_sample(broken)).decode()
    (tmp_path / "test_text.py").write_text(re.sub(r'("error": ["\'])', r"\1X", text))
    (tmp_path / "test_place.py").write_text(re.sub(r'"token": \d+', '"token": 1', text))
    accepted = export_pytest(inspected_sample(fine)).decode()
    (tmp_path / "test_messages.py").write_text(re.sub(r'("content": ["\'])', r"\1X", accepted))
    counts = run(tmp_path, release_called(NEWEST))
    assert counts["failed"] == 2 + 1 + 1


def test_the_file_needs_nothing_of_ours(generated: tuple[Path, list[Subject]]) -> None:
    for path in generated[0].glob("test_*.py"):
        modules = {
            alias.name if isinstance(node, ast.Import) else node.module
            for node in ast.walk(ast.parse(path.read_text("ascii")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert modules <= {"importlib", "pathlib", "openai_harmony", "pytest"}, path.name


def test_text_of_a_transcript_is_a_literal_whatever_it_holds() -> None:
    text = export_pytest(hostile()).decode("ascii")
    tree = ast.parse(text)
    assert not any(isinstance(node, ast.Call) and ast.unparse(node.func) in ("eval", "exec") for node in ast.walk(tree))
    assert "\\x00" not in (ast.get_docstring(tree) or "")


def test_there_is_something_to_reproduce_where_a_release_raises_or_misreads() -> None:
    by_name = {sample.name: sample for sample in SAMPLES}
    assert reproduces(inspected_sample(by_name["duplicate-channel-lost-call"]))
    assert reproduces(inspected_sample(by_name["channel-misspelt"]))
    assert not reproduces(inspected_sample(by_name["healthy-answer"]))
