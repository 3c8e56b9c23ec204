"""Server-sent events out of bytes that are split anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.samplers.sse import EventReader, EventTooLong

LINES = st.lists(
    st.one_of(
        st.text(alphabet="ab :é🤖\u2028", max_size=6).map(lambda text: f"data:{text}"),
        st.sampled_from(["", "", "data", "data: [DONE]", ": a comment", "event: x", "id: 1", "dataa: no", "retry:5"]),
    ),
    max_size=12,
)
BREAKS = st.sampled_from(["\n", "\r\n", "\r"])


def slowly(text: str) -> list[str]:
    """The standard's own steps, on text that is whole."""
    events: list[str] = []
    data: list[str] = []
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    for line in lines:
        name, _, value = line.partition(":")
        if not line:
            events += ["\n".join(data)] if data else []
            data = []
        elif name == "data":
            data.append(value[1:] if value.startswith(" ") else value)
    return events


def read(chunks: list[bytes], limit: int = 10**6) -> list[str]:
    reader = EventReader(limit)
    return [event for chunk in chunks for event in reader.feed(chunk)]


@given(LINES, st.data(), st.booleans())
def test_any_split_gives_the_same_events(lines: list[str], data: st.DataObject, bom: bool) -> None:
    text = ("\ufeff" if bom else "") + "".join(line + data.draw(BREAKS) for line in lines)
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    chunks = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert read(chunks) == slowly(text)
    assert read([raw[at : at + 1] for at in range(len(raw))]) == slowly(text)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_bytes_that_are_no_events_are_harmless_however_they_are_split(raw: bytes, cuts: list[int]) -> None:
    cuts = sorted(min(cut, len(raw)) for cut in cuts)
    assert read([raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]) == read([raw])


def test_what_is_not_ended_is_no_event() -> None:
    assert read([b"data: one\n\ndata: two\n"]) == ["one"]


@pytest.mark.parametrize("flood", [b"data: " + b"x" * 101, b"data\n" * 101, b": " + b"x" * 101])
def test_an_event_without_end_is_refused_whether_it_comes_at_once_or_in_bytes(flood: bytes) -> None:
    for chunks in ([flood], [flood[at : at + 1] for at in range(len(flood))]):
        with pytest.raises(EventTooLong, match="100 bytes"):
            read(chunks, limit=100)


def test_many_small_events_are_no_long_one() -> None:
    assert read([b"data: x\n\n" * 10_000], limit=100) == ["x"] * 10_000
