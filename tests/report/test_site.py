"""The static site: its files, that it is written again in place, and what it leaves alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from exporting import PAYLOAD, SAMPLES, hostile

from inspector.gallery import Gallery, Sample, open_gallery, read_gallery
from inspector.report.site import ASSETS, BUNDLE, MARK, SiteError, build_page, build_site

GALLERY = Gallery("ours", "Ours & <others>", "Two of them.", tuple(SAMPLES[:3]))


def test_a_site_has_an_index_a_page_for_every_sample_and_the_gallery_itself(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    site = build_site(GALLERY, tmp_path / "site", tell=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    there = {
        path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*") if path.is_file()
    }
    assert there == set(site.files)
    assert there == {
        "index.html", BUNDLE, MARK, *(f"samples/{sample.name}.html" for sample in GALLERY.samples),
        *(f"{ASSETS}/{name}" for name in ("page.js", "page.css", "screen.css", "cards.css")),
    }  # fmt: skip
    assert site.size == sum((tmp_path / "site" / name).stat().st_size for name in there)
    index = (tmp_path / "site" / "index.html").read_text()
    assert "<h1>Ours &amp; &lt;others&gt;</h1>" in index
    assert "script-src &#x27;self&#x27;" in index
    assert [s.name for s in open_gallery(tmp_path / "site" / BUNDLE).samples] == [s.name for s in GALLERY.samples]
    page = (tmp_path / "site" / "samples" / f"{SAMPLES[0].name}.html").read_bytes()
    assert [sample.transcript.ids for sample in read_gallery(page, "x.html").samples] == [SAMPLES[0].transcript.ids]


def test_a_site_is_replaced_and_files_of_others_stay(tmp_path: Path) -> None:
    build_site(GALLERY, tmp_path)
    (tmp_path / "CNAME").write_text("mine")
    fewer = Gallery("ours", "Ours", "", GALLERY.samples[:1])
    build_site(fewer, tmp_path)
    assert [path.stem for path in (tmp_path / "samples").iterdir()] == [SAMPLES[0].name]
    assert (tmp_path / "CNAME").read_text() == "mine"


def test_a_folder_with_other_things_is_refused_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SiteError, match="not empty and holds no site of ours"):
        build_site(GALLERY, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    build_site(GALLERY, tmp_path, force=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    with pytest.raises(SiteError, match="is a file"):
        build_site(GALLERY, tmp_path / "thesis.txt")


def test_a_tampered_list_deletes_nothing_outside(tmp_path: Path) -> None:
    site = tmp_path / "site"
    build_site(GALLERY, site)
    (tmp_path / "precious").write_text("mine")
    (site / "deep" / "er").mkdir(parents=True)
    (site / "deep" / "er" / "file").write_text("mine")
    mark = json.loads((site / MARK).read_text())
    mark["files"] += ["../precious", str(tmp_path / "precious"), "samples/../../precious", "deep/er/file", 7]
    (site / MARK).write_text(json.dumps(mark))
    build_site(GALLERY, site)
    assert (tmp_path / "precious").exists()
    assert (site / "deep" / "er" / "file").exists()


def test_a_mark_that_says_nothing_is_no_mark(tmp_path: Path) -> None:
    (tmp_path / MARK).write_text("[]")
    with pytest.raises(SiteError, match="pass --force"):
        build_site(GALLERY, tmp_path)


def test_a_gallery_as_one_file_opens_as_the_gallery() -> None:
    data = build_page(GALLERY)
    again = read_gallery(data, "gallery.html")
    assert [(s.name, s.title, s.rules, s.family) for s in again.samples] == [
        (s.name, s.title, s.rules, s.family) for s in GALLERY.samples
    ]
    assert again.problems == ()


def test_hostile_words_stay_out_of_the_markup(tmp_path: Path) -> None:
    subject = hostile()
    sample = Sample("nasty", PAYLOAD, PAYLOAD, PAYLOAD, subject.transcript, (), tags=(PAYLOAD,), stated=False)
    gallery = Gallery("nasty", PAYLOAD, PAYLOAD, (sample,))
    build_site(gallery, tmp_path)
    for text in (
        (tmp_path / "index.html").read_text(), (tmp_path / "samples" / "nasty.html").read_text(),
        build_page(gallery).decode(),
    ):  # fmt: skip
        assert "<script>window" not in text
        assert "<img" not in text


def test_words_of_any_length_are_cut_on_the_page_and_whole_in_the_bundle(tmp_path: Path) -> None:
    sample = replace(SAMPLES[0], title="t" * 100_000, story="s" * 200_000)
    gallery = Gallery("long", "G" * 2000, "d" * 2000, (sample,))
    build_site(gallery, tmp_path)
    index = (tmp_path / "index.html").read_text()
    assert f"<h1>{'G' * 119}…</h1>" in index
    assert f'<p class="about">{"d" * 999}…</p>' in index
    assert "t" * 301 not in (tmp_path / "samples" / f"{sample.name}.html").read_text()
    (kept,) = open_gallery(tmp_path / BUNDLE).samples
    assert (kept.title, kept.story) == (sample.title, sample.story)


@pytest.mark.parametrize("name", ["con", "nul", "aux", "com1", "lpt9"])
def test_no_file_has_a_name_that_windows_keeps_for_itself(tmp_path: Path, name: str) -> None:
    site = build_site(Gallery("ours", "Ours", "", (replace(SAMPLES[0], name=name),)), tmp_path)
    assert f"samples/{name}_.html" in site.files
    assert f"samples/{name}.html" not in site.files
