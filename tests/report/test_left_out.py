"""A sample that we fail at is left out of a site, a page and a bundle and named there; the others are in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inspector.gallery import Gallery, Sample, load_samples, open_gallery, read_gallery
from inspector.gallery import bundle as packed
from inspector.report import cards, site, whole
from inspector.report.cards import DAMAGED, gallery_items, gallery_page, sample_card
from inspector.report.site import build_page, build_site
from inspector.report.whole import left_out_words, whole_bundle

GOOD = load_samples()[:3]
BAD = GOOD[1]
GALLERY = Gallery("ours", "Ours", "What we have.", tuple(GOOD))


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inspecting, reading or packing one of the three raises."""
    real_subject, real_read, real_bundle = site.inspected_sample, cards.read, whole.bundle

    def subject(sample: Sample) -> Any:
        if sample.name == BAD.name:
            raise IndexError("list index out of range")
        return real_subject(sample)

    def read(transcript: Any) -> Any:
        if transcript is BAD.transcript:
            raise IndexError("list index out of range")
        return real_read(transcript)

    def bundle(gallery: Gallery) -> bytes:
        if any(sample.name == BAD.name for sample in gallery.samples):
            raise OverflowError("too large")
        return real_bundle(gallery)

    monkeypatch.setattr(site, "inspected_sample", subject)
    monkeypatch.setattr(cards, "read", read)
    monkeypatch.setattr(whole, "bundle", bundle)


@pytest.mark.usefixtures("failing")
def test_the_page_of_galleries_has_a_card_that_says_so() -> None:
    items = gallery_items(GALLERY, lambda _, sample: sample.name, lambda _, sample: f"#{sample.name}")
    assert [item["outcome"] == DAMAGED for item in items] == [False, True, False]
    (bad,) = [item for item in items if item["outcome"] == DAMAGED]
    assert bad["title"] == BAD.title
    assert bad["story"].startswith("harmonylens failed at reading this sample (IndexError")
    assert bad["count"] == len(BAD.transcript)
    assert bad["search"] == BAD.name
    page = gallery_page([(GALLERY, items)])
    assert [DAMAGED, "damaged"] in page["outcomes"]
    json.dumps(page)
    assert sample_card(BAD)["outcome"] == DAMAGED


def test_where_nothing_is_damaged_there_is_no_filter_for_it() -> None:
    items = gallery_items(GALLERY, lambda _, sample: sample.name, lambda _, sample: sample.name)
    assert DAMAGED not in [name for name, _ in gallery_page([(GALLERY, items)])["outcomes"]]


@pytest.mark.usefixtures("failing")
def test_a_site_is_written_without_it_and_names_it(tmp_path: Path) -> None:
    made = build_site(GALLERY, tmp_path / "site")
    names = {path.stem for path in (tmp_path / "site" / "samples").iterdir()}
    assert names == {GOOD[0].name, GOOD[2].name}
    (said,) = made.left_out
    assert said.startswith(f"The sample {BAD.name!r} is left out: harmonylens failed at writing it (IndexError")
    assert f"Left out because they could not be read: {BAD.name}." in (tmp_path / "site" / "index.html").read_text()
    again = open_gallery(tmp_path / "site" / "gallery.harmonylens")
    assert [sample.name for sample in again.samples] == [GOOD[0].name, GOOD[2].name]


@pytest.mark.usefixtures("failing")
def test_one_page_is_made_without_it_and_names_it() -> None:
    said: list[str] = []
    data = build_page(GALLERY, tell_left_out=said.append)
    assert len(said) == 1
    assert GOOD[0].name.encode() in data
    assert f"Left out because they could not be read: {BAD.name}.".encode() in data


@pytest.mark.usefixtures("failing")
def test_a_bundle_is_packed_without_it() -> None:
    data, said = whole_bundle(GALLERY)
    assert [sample.name for sample in read_gallery(data, "x.harmonylens").samples] == [GOOD[0].name, GOOD[2].name]
    assert said[0].startswith(f"The sample {BAD.name!r} is left out: harmonylens failed at writing it (OverflowError")
    assert left_out_words(said) == said[0]
    assert left_out_words(said * 2).startswith("2 samples are left out. The first: ")


def test_what_is_whole_is_the_bundle_that_it_was() -> None:
    assert whole_bundle(GALLERY)[1] == []
    assert read_gallery(whole_bundle(GALLERY)[0], "x.harmonylens") == read_gallery(packed(GALLERY), "x.harmonylens")
