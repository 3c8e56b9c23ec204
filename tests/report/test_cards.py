"""Cards and pages of galleries: everything to filter by is there, texts are fit to be shown, budgets hold."""

from __future__ import annotations

import json
from dataclasses import replace

from inspector.gallery import FAMILIES, Gallery, Sample, gallery_of, load_samples, sample_address, shipped_gallery
from inspector.harmony.reader import read
from inspector.report.cards import OUTCOMES, gallery_items, gallery_page, sample_card
from inspector.report.visible import visible
from inspector.tokens import CHANNEL, MESSAGE, Transcript, vocabulary

SHIPPED = shipped_gallery()


def items(gallery: Gallery) -> list[dict[str, object]]:
    return gallery_items(gallery, sample_address, lambda g, s: f"./?sample={sample_address(g, s)}")


def plain(name: str, ids: tuple[int, ...]) -> Sample:
    return Sample(name, name, "", "", Transcript(ids, "assistant", name), (), stated=False)


def test_the_page_of_what_ships() -> None:
    page = gallery_page([(SHIPPED, items(SHIPPED))])
    assert [group["title"] for group in page["groups"]] == list(FAMILIES.values())
    assert [family for family, _ in page["kinds"]] == list(FAMILIES)
    assert page["galleries"] == [["shipped", "harmonylens", SHIPPED.description, False]]
    shown = [item for group in page["groups"] for item in group["items"]]
    assert {item["name"] for item in shown} == {sample.name for sample in SHIPPED.samples}
    assert {code for code, _ in page["rules"]} == {c for s in SHIPPED.samples for c in (*s.rules, *s.drift)}
    assert all(name for _, name in page["rules"])
    assert {item["outcome"] for item in shown} == set(OUTCOMES)


def test_the_search_finds_the_transcript_itself_and_the_errors() -> None:
    for sample, item in zip(SHIPPED.samples, items(SHIPPED), strict=True):
        for message in read(sample.transcript).messages:
            assert all(word in item["search"] for word in message.content.lower().split() if "<|" not in word)
        for error in sample.errors.values():
            assert " ".join(error.lower().split()) in item["search"]


def test_a_plain_record_is_inspected_and_says_what_a_stated_one_says() -> None:
    for sample in load_samples():
        card = sample_card(replace(sample, stated=False, rules=(), drift=(), errors={}))
        assert card["raises"] == sorted(sample.errors), sample.name
        assert set(card["rules"]) == set(sample.rules), sample.name


def test_what_is_too_long_is_not_inspected_and_still_drawn() -> None:
    ids = tuple(token for sample in load_samples() for token in sample.transcript.ids)
    long = plain("long", ids * (400_000 // len(ids)))
    short = plain("short", ids[:30])
    cards = items(gallery_of("g", "G", "", [long, short]))
    assert (cards[0]["outcome"], cards[0]["rules"], cards[0]["shape"]) == ("", [], [])
    assert cards[0]["strip"]["k"]
    assert len(cards[0]["search"]) < 25_000
    assert cards[1]["outcome"]


def test_texts_of_others_are_fit_to_be_shown() -> None:
    hostile = "\u202ea\x1b[31mb\ud800"
    sample = replace(plain("x", (1,)), title=hostile * 90, story=hostile * 900, tags=(hostile * 90,), family=hostile)
    gallery = gallery_of("g", hostile, hostile, [sample])
    page = gallery_page([(gallery, items(gallery))])
    item = page["groups"][0]["items"][0]
    for text in (item["title"], item["story"], *item["tags"], *page["galleries"][0][1:3], page["groups"][0]["title"]):
        assert text.isprintable()
        assert len(text) < 8000
    json.dumps(page, ensure_ascii=False).encode("utf-8", "replace")


def test_galleries_side_by_side() -> None:
    other = gallery_of("team", "Team", "", [replace(SHIPPED.samples[0], title="Ours"), plain("run-7", (1, 2))])
    page = gallery_page([(other, items(other)), (SHIPPED, items(SHIPPED))], closable=["team"], opened=("team", "1"))
    assert [group["title"] for group in page["groups"]][:2] == [f"Team · {FAMILIES['founding']}", "Team"]
    names = [item["name"] for group in page["groups"] for item in group["items"]]
    assert len(set(names)) == len(names)
    assert names[0] == f"team:{SHIPPED.samples[0].name}"
    assert [gallery[3] for gallery in page["galleries"]] == [True, False]


def test_the_names_of_the_markers_are_no_text() -> None:
    (item,) = items(gallery_of("g", "G", "", [plain("x", (CHANNEL, *vocabulary().encode("final"), MESSAGE, 12194))]))
    assert "channel" not in str(item["search"])
    assert "final" in str(item["search"])


def test_words_of_any_length_are_cut_before_a_browser_lays_them_out() -> None:
    long = replace(
        plain("long", (200005,)), title="t" * 100_000, story="s" * 200_000, family="f" * 100_000,
        tags=tuple(f"{number}{'g' * 200}" for number in range(5000)), stated=True,
        rules=tuple(f"HS{number}" for number in range(5000)), errors={f"r{n}": "e" * 100_000 for n in range(500)},
    )  # fmt: skip
    gallery = gallery_of("g", "G" * 2000, "d" * 2000, [long])
    page = gallery_page([(gallery, items(gallery))])
    ((_, title, description, _),) = page["galleries"]
    assert (len(title), title[-1], len(description)) == (120, "…", 1000)
    (group,) = page["groups"]
    (card,) = group["items"]
    assert (len(card["title"]), card["title"][-1]) == (300, "…")
    assert len(card["story"]) <= 4000
    assert (len(card["tags"]), max(map(len, card["tags"]))) == (40, 60)
    assert len(card["rules"]) == len(card["raises"]) == 40
    assert len(json.dumps(page)) < 60_000
    assert len(gallery.samples[0].title) == 100_000


def test_nothing_unseen_stands_in_what_a_record_calls_its_rules_and_errors() -> None:
    evil = "\u202eevil\u2066\u200b\x1b[31m"
    sample = replace(SHIPPED.samples[0], rules=(evil,), drift=(), errors={evil: "x"})
    card = sample_card(sample)
    assert card["rules"]
    for words in (*card["rules"], *card["raises"]):
        assert words == visible(evil)
        assert words.isprintable()
