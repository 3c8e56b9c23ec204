"""Links that carry a transcript: exact both ways, strict on the way in, and readable for ever."""

from __future__ import annotations

import base64
import json
import random
import zlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.budgets import APP
from inspector.gallery import Sample, load_samples
from inspector.gallery import link as link_module
from inspector.gallery.link import MAX_LINK, LinkError, Shared, left_out, payload_in, read_link, write_link
from inspector.ingest import Card, Switches, carrying
from inspector.prompt import STYLES
from inspector.tokens import Transcript, vocabulary

# Links that version 1 wrote, one of each way of packing. They are in issues and in chats: every later version opens
# them, so these texts and what they are compared with never change.
STORED = "h1.AAJ7fcWaDLyWAsiaDMZkx5oM3NVv6Q"
BEYOND = (
    "h1.AU2PsU7DMBCGoU9RtuhmK3IcJESEUNk6lKlsUYTS1EkOXDuyHSCqKvEEzLwEIxI7AwtPxIQvEhGe_vvvu7vfX7M9ePRKQgY3n"
    "29BRBebS2DgvLFDMK-iUcXB8mXjIMvhKegBCgbW0JzulWKA2wDbXkdnRBqjRrTudeXRaBdvStfSjJPeo6ZFezB1TdByLXiyEGFuu"
    "U75KVFVa7CSI0RdsTiHLDlQqmGM-rBaXUc8TgUEs0aNrr21snRG_-UJqbvJEpzzRDAwFhvUlCyHzppd54GJguXgyl2n5BZYQhXqO"
    "1n5qfzXLOhv9zKsTMMJbHSwM297eTg-ep7e7PV9_vE9f_x5OfkF"
)
DEFLATED = (
    "h1.AU2PsU7DMBCGgb5Ex-hmK3IcJESEUNk6lKlsUYTS1EkOXDuyHURU9TngJRiR2BlY-kxQXwQVnv7777u7319nW_DolYQM7j7fg"
    "oiuVtfAwHljh2DeRKOKg-XLxkGWw3PQAxQMrKE53SvFANcBtr2OLog0Ro1o3evKo9EuXpWupRknvUdNi7Zg6pqg-VLwZCbC3HyZ8"
    "nOiqtZgJUeIumJ2CVmyo1TDGPVpsbiNeJwKCGaNGl17b2XpjP7LE1J3R0twzhPBwFhsUFOyHDprNp0HJgqWgys3nZJrYAlVqB9k5"
    "Y_lv2ZBf3uUYWUaTmCjg51528vd6cn3z--bvL5PP_bTfT95OQA"
)
LZMA = (
    "h1.AuMNSQBwXQABH8v4lQR0f94uCHa-PBtRddAUZQA-_mn7Ye3yoRQwq0UgXm6LFtEaC-VSnI0Rxvo0qiUlCs8sSW4Gii9I7083W"
    "dXcHq8my_3JDRiYhLbw9W-hexy-KLpE-neIWdDW5yu8XYDFDUjkKCLCh2p5CxQAAA"
)

ORIGINS = ("prompt", "sampled", "injected")


def test_a_stored_link_of_version_1() -> None:
    transcript = Transcript(ids=(200005, 35644, 200008, 12870, 200007), role="assistant", source="shared link")
    assert read_link(STORED) == Shared(transcript)


def test_a_deflated_link_of_version_1() -> None:
    transcript = Transcript(
        ids=(-1, 0, 2**64 - 1, 200012, 201500),
        role=None,
        id="run 7",
        tools=("functions.bash",),
        finish_reason=None,
        stop_reason=200012,
        reported=frozenset({"finish_reason", "stop_reason"}),
        origins=("prompt", "prompt", "sampled", "injected", "sampled"),
        source="shared link",
    )
    switches = Switches(off=frozenset({"HS201@2", "HS304"}), choices={"HS202@9": 1}, style="vLLM 0.32")
    told = carrying(transcript, switches, Card("Títle <b>", "A story.", ("x", "y")))
    assert read_link(DEFLATED) == Shared(told, 3)


def test_a_link_of_version_1_with_an_id_that_no_transcript_has_any_more() -> None:
    with pytest.raises(LinkError, match="Token 3 of this link has an id beyond 64 bits"):
        read_link(BEYOND)


def test_an_lzma_link_of_version_1() -> None:
    assert read_link(LZMA).transcript.ids == (12870,) * 100_000 + (200002,)


def same(transcript: Transcript, token: int | None = None) -> None:
    shared = read_link(write_link(transcript, token))
    assert replace(shared.transcript, source=transcript.source) == transcript
    assert shared.token == token


@pytest.mark.parametrize("sample", load_samples(), ids=lambda sample: sample.name)
def test_every_sample_travels(sample: Sample) -> None:
    told = carrying(
        sample.transcript, Switches(style=next(iter(STYLES))), Card(sample.title, sample.story, sample.tags)
    )
    same(told, 0 if told.ids else None)
    assert len(write_link(told)) < 2000


@given(
    ids=st.lists(st.one_of(st.integers(0, 201_088), st.integers(-(2**63), 2**64 - 1)), max_size=60),
    role=st.sampled_from([None, "assistant", "user", "tool"]),
    name=st.text(max_size=20),
    tools=st.lists(st.text(max_size=12), max_size=3),
    finish=st.none() | st.text(max_size=10),
    stop=st.none() | st.text(max_size=10) | st.integers(-(2**60), 2**60),
    reported=st.frozensets(st.sampled_from(["finish_reason", "stop_reason"])),
    seed=st.none() | st.integers(0, 99),
)
def test_any_transcript_travels(
    ids: list[int],
    role: str | None,
    name: str,
    tools: list[str],
    finish: str | None,
    stop: str | int | None,
    reported: frozenset[str],
    seed: int | None,
) -> None:
    chosen = random.Random(seed)
    origins: Any = None if seed is None else tuple(chosen.choice(ORIGINS) for _ in ids)
    # What has a value was reported: that is how sources say it.
    stated = {key for key, value in (("finish_reason", finish), ("stop_reason", stop)) if value is not None}
    same(
        Transcript(
            ids=tuple(ids),
            role=role,
            id=name,
            tools=tuple(tools),
            origins=origins,
            finish_reason=finish,
            stop_reason=stop,
            reported=reported | stated,
        )
    )


def test_what_no_link_carries_is_named() -> None:
    full = Transcript(
        ids=(1, 2),
        logprobs=(-0.5, None),
        top=(((1, -0.5),), ()),
        prompt_ids=(3,),
        meta={"run": 7},
    )
    assert left_out(full) == (
        "the logprobs",
        "the alternatives of each token",
        "the prompt",
        "the notes of its source",
    )
    told = read_link(write_link(full)).transcript
    assert (told.logprobs, told.top, told.prompt_ids, dict(told.meta)) == (None, None, None, {})
    assert left_out(carrying(Transcript(ids=(1,)), Switches(off=frozenset({"x"})), Card("T"))) == ()


def test_a_whole_context_fits_whatever_is_in_it() -> None:
    chosen = random.Random(1)
    ids = tuple(chosen.randrange(201_088) for _ in range(131_072))
    payload = write_link(Transcript(ids=ids))
    assert read_link(payload).transcript.ids == ids
    assert len(payload) < 450_000 < MAX_LINK


def test_only_what_a_browser_leaves_as_it_is() -> None:
    chosen = random.Random(2)
    payload = write_link(Transcript(ids=tuple(chosen.randrange(2**18) for _ in range(500))))
    assert set(payload) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_payload_is_found_in_an_address() -> None:
    assert payload_in(f"see http://127.0.0.1:8501/#{STORED}, please") == STORED
    assert read_link(f"#{STORED}).").transcript.ids == read_link(STORED).transcript.ids
    assert payload_in("http://127.0.0.1:8501/?sample=lost-call") is None
    assert payload_in("https://example.org/#heading") is None


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ("", "carries no transcript"),
        ("h1", "carries no transcript"),
        ("h1.a b", "carries no transcript"),
        ("h1.<script>", "carries no transcript"),
        ("x1.AAAA", "carries no transcript"),
        ("h0.AAAA", "no links of version 0"),
        ("h2.AAAA", "is of version 2; this harmonylens knows versions up to 1"),
        ("h9999.", "is of version 9999"),
        ("h1.", "damaged"),
        ("h1.A", "damaged"),
        ("h1.AAAA", "damaged"),
        ("h1._w", "damaged"),
    ],
)
def test_what_is_no_link_gets_one_sentence(payload: str, words: str) -> None:
    with pytest.raises(LinkError, match=words) as raised:
        read_link(payload)
    assert str(raised.value).endswith(".")


def opened(payload: str) -> Shared | None:
    """What a link carries; None when it is refused, as every damaged one must be."""
    try:
        return read_link(payload)
    except LinkError:
        return None


@pytest.mark.parametrize("payload", [STORED, DEFLATED, LZMA], ids=["stored", "deflated", "lzma"])
def test_a_link_with_any_character_changed_or_lost_is_refused(payload: str) -> None:
    chosen = random.Random(7)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    good = read_link(payload)
    for at in range(3, len(payload)):
        changed = payload[:at] + chosen.choice(letters.replace(payload[at], "")) + payload[at + 1 :]
        for damaged in (changed, payload[:at]):
            # The last character has bits that mean nothing; else nothing but the same may come out.
            assert opened(damaged) in (None, good)


@given(st.binary(max_size=120))
def test_junk_never_raises_anything_else(junk: bytes) -> None:
    with pytest.raises(LinkError):
        read_link("h1." + base64.urlsafe_b64encode(junk).decode().rstrip("="))


def sealed(head: object, ids: bytes = b"\x05") -> str:
    """A payload with a head of one's own: well-formed as far as bytes go."""
    text = json.dumps(head).encode()
    assert len(text) < 128
    body = bytes([len(text)]) + text + ids
    body += zlib.crc32(body).to_bytes(4, "little")
    return "h1." + base64.urlsafe_b64encode(b"\0" + body).decode().rstrip("=")


def test_unknown_keys_of_a_later_writer_are_skipped() -> None:
    assert read_link(sealed({"weather": "fine"})).transcript.ids == (5,)


@pytest.mark.parametrize(
    "head",
    [
        [],
        None,
        {"role": "nobody"},
        {"role": 7},
        {"id": 7},
        {"tools": "functions.bash"},
        {"tools": [7]},
        {"finish_reason": 7},
        {"stop_reason": True},
        {"stop_reason": [1]},
        {"origins": [["sampled", 2]]},
        {"origins": [["elsewhere", 1]]},
        {"origins": [["sampled", 0]]},
        {"origins": [["sampled"]]},
        {"origins": 7},
        {"origins": []},
        {"token": 1},
        {"token": -1},
        {"token": True},
    ],
)
def test_a_head_that_no_writer_of_ours_makes_is_refused(head: object) -> None:
    with pytest.raises(LinkError, match="damaged"):
        read_link(sealed(head))


@pytest.mark.parametrize(
    "told", [{"settings": 7}, {"settings": {"off": "x", "choices": [1], "style": 3}}, {"title": 7}]
)
def test_switches_and_titles_of_another_form_are_left_out(told: dict[str, Any]) -> None:
    assert read_link(sealed(told)).transcript == Transcript(ids=(5,), source="shared link")


@pytest.mark.parametrize("ids", [b"\x80", b"\xff" * 4000 + b"\x01"], ids=["cut", "endless"])
def test_an_id_that_does_not_end_is_refused(ids: bytes) -> None:
    with pytest.raises(LinkError, match="damaged"):
        read_link(sealed({}, ids))


def varint(number: int) -> bytes:
    return bytes([number >> 7 * at & 127 | 128 for at in range(9)]) + bytes([number >> 63])


@pytest.mark.parametrize(
    ("head", "packed", "number"),
    [
        ({}, varint(2**64 - 1), 2**64 - 1),
        ({}, varint(2**64), None),
        ({"signed": True}, varint((2**64 - 1) << 1), 2**64 - 1),
        ({"signed": True}, varint(2**64 << 1), None),
        ({"signed": True}, varint(2**64 - 1), -(2**63)),
        ({"signed": True}, varint(2**64 + 1), None),
        ({}, b"\xff" * 10 + b"\x01", None),
    ],
)
def test_an_id_beyond_64_bits_is_refused_with_its_place(
    head: dict[str, Any], packed: bytes, number: int | None
) -> None:
    payload = sealed(head, b"\x02" + packed)
    if number is not None:
        assert read_link(payload).transcript.ids[1] == number
        return
    with pytest.raises(LinkError, match="Token 2 of this link has an id beyond 64 bits"):
        read_link(payload)


def test_more_tokens_than_a_link_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = write_link(Transcript(ids=(7,) * 1000))
    monkeypatch.setattr(link_module, "APP", replace(APP, tokens=999))
    with pytest.raises(LinkError, match="carries up to 999 tokens; this transcript has 1,000"):
        write_link(Transcript(ids=(7,) * 1000))
    with pytest.raises(LinkError, match="more than 999 tokens"):
        read_link(payload)


def test_a_link_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = write_link(Transcript(ids=(7,) * 100_000))
    assert len(payload) < 500
    monkeypatch.setattr(link_module, "MAX_LINK_BODY", 50_000)
    with pytest.raises(LinkError, match="unpacks to more than"):
        read_link(payload)
    with pytest.raises(LinkError, match="carries up to"):
        write_link(Transcript(ids=(7,) * 100_000))


def test_text_stays_ids() -> None:
    # The same text in other tokens is another transcript.
    odd = (*vocabulary().encode("tes"), *vocabulary().encode("ts"))
    assert read_link(write_link(Transcript(ids=odd))).transcript.ids == odd


def test_a_link_that_was_cut_short_says_so() -> None:
    payload = write_link(Transcript((200005, 17196)))
    for cut in (f"#{payload[:9]}…", f"{payload[:9]}%E2%80%A6"):
        with pytest.raises(LinkError, match="was cut short where it was copied"):
            read_link(cut)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ('{"x": ' + "9" * 4_400 + "}", "a number has more than 4,300 digits"),
        ('{"x": ' + "[" * 300 + "]" * 300 + "}", "nested too deeply"),
    ],
)
def test_a_link_that_came_whole_and_says_too_much_is_not_called_damaged(head: str, words: str) -> None:
    text = head.encode()
    body = bytes((len(text) & 127 | 128, len(text) >> 7)) + text + b"\x05"
    body += zlib.crc32(body).to_bytes(4, "little")
    payload = "h1." + base64.urlsafe_b64encode(b"\0" + body).decode().rstrip("=")
    with pytest.raises(LinkError, match=f"This link was not opened: .*{words}"):
        read_link(payload)
