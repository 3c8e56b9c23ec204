"""The static site: its files, that it is written again in place, and what it leaves alone."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from exporting import PAYLOAD, SAMPLES, hostile

from inspector.gallery import Gallery, Sample, open_gallery, read_gallery
from inspector.report.site import ASSETS, BUNDLE, MARK, SiteError, build_page, build_site
from inspector.report.site_journal import JOURNAL

GALLERY = Gallery("ours", "Ours & <others>", "Two of them.", tuple(SAMPLES[:3]))
FEWER = Gallery("ours", "Ours", "", GALLERY.samples[:1])


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
    build_site(FEWER, tmp_path)
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


def everything(folder: Path) -> dict[str, bytes | str]:
    """Each file with its content, each link with where it leads."""
    return {
        path.relative_to(folder).as_posix(): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("hash", ["right", "wrong", "none"])
def test_a_tampered_list_deletes_nothing_of_others(tmp_path: Path, force: bool, hash: str) -> None:
    site = tmp_path / "site"
    build_site(GALLERY, site)
    mine = ["../precious", "samples/mine.html", "mine.txt", "deep/er/file", ".htaccess", "samples/sub/mine.html"]
    for name in mine:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("mine")
    (site / "linked.html").symlink_to(tmp_path / "precious")
    (site / "sub").symlink_to(tmp_path)
    names = [*mine, "linked.html", "sub/precious", str(tmp_path / "precious"), "samples/../../precious", "..", ".", "",
             "samples", "samples/", "/", "samples//mine.html", "./mine.txt", "a\0b", "x" * 5000, "samples\\mine.html",
             f"samples/{'x' * 250}.html", "samples/\ud800.html", "samples/a\nb.html"]  # fmt: skip
    mark = json.loads((site / MARK).read_text())
    if hash == "none":
        mark["files"] = [*mark["files"], *names, 7, None]
    else:
        told = hashlib.sha256(b"mine").hexdigest() if hash == "right" else "0" * 64
        mark["files"] |= dict.fromkeys(names, told)
    (site / MARK).write_text(json.dumps(mark))
    before = everything(tmp_path)
    if hash == "none" and not force:
        # Without hashes nothing says that these are ours.
        with pytest.raises(SiteError, match=r"is not as it was written for the site: move it away, or pass --force"):
            build_site(GALLERY, site)
        assert everything(tmp_path) == before
        return
    build_site(GALLERY, site, force=force)
    after = everything(tmp_path)
    gone = before.keys() - after.keys()
    # It lies where pages do and has the content that the mark says was written: there is no telling it from one.
    assert gone == ({"site/samples/mine.html"} if hash == "right" else set())
    assert {name: after[name] for name in after if name != f"site/{MARK}"} == {
        name: before[name] for name in before.keys() - gone if name != f"site/{MARK}"
    }


def test_what_was_changed_since_is_neither_replaced_nor_deleted(tmp_path: Path) -> None:
    build_site(GALLERY, tmp_path)
    last = tmp_path / "samples" / f"{GALLERY.samples[-1].name}.html"
    last.write_text("by hand")
    build_site(FEWER, tmp_path)
    assert last.read_text() == "by hand"
    (tmp_path / "index.html").write_text("by hand")
    before = everything(tmp_path)
    with pytest.raises(SiteError, match=r"is not as it was written for the site: .*--force"):
        build_site(GALLERY, tmp_path)
    assert everything(tmp_path) == before
    build_site(GALLERY, tmp_path, force=True)
    assert "by hand" not in (tmp_path / "index.html").read_text()


def test_a_file_of_others_in_the_place_of_a_new_page_stays(tmp_path: Path) -> None:
    build_site(FEWER, tmp_path)
    theirs = tmp_path / "samples" / f"{GALLERY.samples[-1].name}.html"
    theirs.write_text("mine")
    with pytest.raises(SiteError, match="pass --force"):
        build_site(GALLERY, tmp_path)
    assert theirs.read_text() == "mine"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("folder", ["samples", ASSETS])
@pytest.mark.parametrize("built", [False, True])
def test_a_folder_that_is_a_link_is_not_entered(tmp_path: Path, folder: str, force: bool, built: bool) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    if built:
        build_site(GALLERY, site)
        (site / folder).rename(elsewhere)
    else:
        site.mkdir()
        elsewhere.mkdir()
    (elsewhere / f"{SAMPLES[0].name}.html").write_text("mine")
    (elsewhere / "page.js").write_text("mine")
    (site / folder).symlink_to(elsewhere)
    before = everything(elsewhere)
    with pytest.raises(SiteError, match="no folder of its own" if force or built else "pass --force"):
        build_site(GALLERY, site, force=force)
    # An earlier site's pages are looked for there, too.
    with pytest.raises(SiteError):
        build_site(FEWER, site, force=force)
    assert everything(elsewhere) == before


@pytest.mark.parametrize("name", ["index.html", MARK, BUNDLE, f"samples/{SAMPLES[0].name}.html", f"{ASSETS}/page.css"])
@pytest.mark.parametrize("leads", ["file", "nothing"])
def test_a_file_that_is_a_link_is_not_written_through(tmp_path: Path, name: str, leads: str) -> None:
    site, precious = tmp_path / "site", tmp_path / "precious"
    build_site(GALLERY, site)
    if leads == "file":
        precious.write_text("mine")
    (site / name).unlink()
    (site / name).symlink_to(precious)
    with pytest.raises(SiteError, match="pass --force"):
        build_site(GALLERY, site)
    assert (site / name).is_symlink()
    build_site(GALLERY, site, force=True)
    assert not (site / name).is_symlink()
    assert precious.exists() == (leads == "file")
    assert leads != "file" or precious.read_text() == "mine"


def test_a_folder_that_is_reached_by_a_link_is_what_was_named(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    build_site(GALLERY, tmp_path / "link" / "site")
    assert (tmp_path / "real" / "site" / "index.html").is_file()
    (tmp_path / "site").symlink_to(tmp_path / "real" / "site")
    build_site(FEWER, tmp_path / "site")
    assert len(list((tmp_path / "real" / "site" / "samples").iterdir())) == 1


def test_a_folder_that_becomes_a_link_meanwhile_is_still_the_folder(tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()

    def swap(done: int, total: int) -> None:
        if done == 1:
            (site / "samples").rename(tmp_path / "moved")
            (site / "samples").symlink_to(elsewhere)

    build_site(GALLERY, site, tell=swap)
    assert list(elsewhere.iterdir()) == []
    assert len(list((tmp_path / "moved").iterdir())) == len(GALLERY.samples)


def test_a_page_that_cannot_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_site(GALLERY, tmp_path)
    before = everything(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SiteError, match="cannot be written: No space left on device"):
        build_site(GALLERY, tmp_path)
    (tmp_path / JOURNAL).unlink()  # what the next build goes by
    assert everything(tmp_path) == before


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
