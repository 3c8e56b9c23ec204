"""What 0.2.0 wrote, when the product was called harmonyscope, still opens; its variables are read with a sentence.

The files beside this one are 0.2.0's own, byte for byte: one transcript, titled, with the fix of HS201 off.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from inspector.gallery import Gallery, load_samples
from inspector.gallery.bundle import open_gallery, read_gallery
from inspector.gallery.database import SampleStore
from inspector.gallery.link import read_link
from inspector.ingest import read
from inspector.ingest.carried import Card, Switches, card_of, switches_of
from inspector.renamed import OldNameWarning, adopt, is_ours, variable
from inspector.report.site import MARK, build_site
from inspector.tokens import Transcript
from inspector.tokens.cache import cache_dir

FILES = Path(__file__).parent / "files"
IDS = (
    200005, 35644, 200005, 12606, 815, 316, 28, 44580, 1292, 1229, 220, 200003, 4108, 200008, 10848, 18804, 7534, 3973,
    18583, 200012,
)  # fmt: skip
OFF = Switches(off=frozenset({"HS201"}))


def same(transcript: Transcript) -> None:
    assert (transcript.ids, transcript.role) == (IDS, "assistant")
    assert switches_of(transcript) == OFF
    assert card_of(transcript).title == "Old friend"


@pytest.mark.parametrize("name", ["old.json", "old.html"])
def test_an_old_export_opens(name: str) -> None:
    found = read((FILES / name).read_bytes(), filename=name)
    assert not found.problems
    (transcript,) = found.transcripts
    same(transcript)


@pytest.mark.parametrize("name", ["old.harmonyscope", "old.json", "old.html"])
def test_an_old_gallery_opens(name: str) -> None:
    found = read_gallery((FILES / name).read_bytes(), name)
    assert not found.problems
    (sample,) = found.samples
    assert (sample.title, sample.transcript.ids, sample.transcript.role) == ("Old friend", IDS, "assistant")
    assert switches_of(sample.transcript) == OFF


def test_an_old_bundle_opens_by_its_path() -> None:
    assert len(open_gallery(FILES / "old.harmonyscope").samples) == 1


def test_an_old_link_opens() -> None:
    shared = read_link((FILES / "old.link").read_text("ascii"))
    same(shared.transcript)
    assert shared.token == 3


def test_an_old_database_opens_and_takes_more(tmp_path: Path) -> None:
    file = tmp_path / "samples.sqlite3"
    shutil.copy(FILES / "old.sqlite3", file)
    engine = create_engine(f"sqlite:///{file}")
    store = SampleStore(engine)
    found = store.get("uewokwufegrpb")
    assert found is not None
    assert (found.sample.transcript.ids, found.sample.title) == (IDS, "Old friend, edited")
    assert [revision.author for revision in store.history("uewokwufegrpb")] == ["Bob", "Ada"]
    store.edit("uewokwufegrpb", based_on=2, author="Cleo", title="Still here")
    latest = store.latest("uewokwufegrpb")
    assert latest is not None
    assert latest.title == "Still here"
    engine.dispose()


def test_an_old_site_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "harmonyscope").mkdir()
    old = '<!doctype html>\n<meta name="generator" content="harmonyscope 0.2.0">\n'
    for name, text in {
        "index.html": old,
        "samples/old-friend.html": old,
        "harmonyscope/page.js": '(() => {\n"use strict";\nconst mountScreen = (() => {',
        "harmonyscope/page.css": "/* The frame of an exported page. ... */",
        "harmonyscope/screen.css": "/* The colours, once for each theme. ... */",
        "gallery.harmonyscope": "PK ... manifest.json",
        # Listed as well, and not what was written.
        "harmonyscope/cards.css": "body { color: mine }",
    }.items():
        (tmp_path / name).write_text(text)
    shutil.copy(FILES / "harmonyscope-site.json", tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    build_site(Gallery("g", "G", "", tuple(load_samples()[:1])), tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {MARK, "index.html", "mine.txt", "gallery.harmonylens", "harmonylens/page.js"} <= left
    assert [name for name in left if "harmonyscope" in name] == ["harmonyscope/cards.css"]
    assert "samples/old-friend.html" not in left


def test_whose_schema_it_is() -> None:
    assert is_ours("harmonyscope/1")
    assert is_ours("harmonylens/transcript/1")
    assert is_ours("harmonyscope-gallery/1", "-gallery")
    assert not is_ours("harmonyscope-gallery/1")
    assert not is_ours("harmonylenses/1")
    assert not is_ours(["harmonylens/1"])


def test_an_old_variable_is_read_with_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HARMONYLENS_CACHE", raising=False)
    monkeypatch.setenv("HARMONYSCOPE_CACHE", str(tmp_path))
    with pytest.warns(OldNameWarning, match="HARMONYSCOPE_CACHE is read as HARMONYLENS_CACHE"):
        assert cache_dir() == tmp_path
    monkeypatch.setenv("HARMONYLENS_CACHE", str(tmp_path / "new"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert variable("HARMONYLENS_CACHE") == str(tmp_path / "new")


def test_old_variables_are_given_the_new_names() -> None:
    given = {
        "HARMONYSCOPE_DATABASE_URL": "sqlite:////a",
        "HARMONYSCOPE_API_KEY": "old",
        "HARMONYLENS_API_KEY": "new",
        "HARMONYSCOPE_CACHE": "",
    }
    said = adopt(given)
    assert given == {"HARMONYLENS_DATABASE_URL": "sqlite:////a", "HARMONYLENS_API_KEY": "new"}
    assert said == [
        "HARMONYSCOPE_DATABASE_URL is read as HARMONYLENS_DATABASE_URL: the product was renamed; rename the variable.",
        "HARMONYSCOPE_API_KEY is not read: HARMONYLENS_API_KEY is set, its name since the product was renamed.",
    ]


def test_the_command_says_it(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HARMONY")}
    done = subprocess.run(
        [sys.executable, "-m", "inspector", "releases"],
        env={**environment, "HARMONYSCOPE_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stderr.count("HARMONYSCOPE_CACHE is read as HARMONYLENS_CACHE") == 1


def test_a_card_is_a_card() -> None:
    # What the files beside this carry is found by the present key only.
    (transcript,) = read((FILES / "old.json").read_bytes()).transcripts
    assert list(transcript.meta) == ["harmonylens"]
    assert card_of(transcript) == Card("Old friend")


def _sources(root: Path) -> list[Path]:
    folders = ("inspector", "pages", "samples", "docs", "benchmarks")
    named = (path for folder in folders for path in (root / folder).rglob("*"))
    single = (root / name for name in ("README.md", "ARCHITECTURE.md", "Makefile", "pyproject.toml", ".ci/run"))
    endings = {".py", ".js", ".css", ".svg", ".md", ".toml", ".json", ".txt", ".html", ""}
    return [path for path in (*single, *named) if path.is_file() and path.suffix in endings]


def test_the_old_name_stands_only_where_old_things_are_read(root: Path) -> None:
    found = {
        path.relative_to(root).as_posix()
        for path in _sources(root)
        if "harmonyscope" in path.read_text(encoding="utf-8").lower()
    }
    # The ending of a file that a person chooses, and what the constants are made from.
    assert found <= {"inspector/renamed.py", "inspector/gallery/bundle.py", "docs/security.md", "docs/patterns.md"}


def test_nothing_tells_anybody_to_install_the_product_from_an_index(root: Path) -> None:
    wanted = re.compile(r"(pip|pipx|uv|uvx|conda)[^\n]{0,40}['\" =]harmony(lens|scope)\b")
    assert not [path for path in _sources(root) if wanted.search(path.read_text(encoding="utf-8"))]
