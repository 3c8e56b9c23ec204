"""Pages, bundles and gzip are opened as what is in them; what is damaged or too large gives a sentence."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.budgets import CLI
from inspector.ingest import FORMATS, detect, read, transcript_record
from inspector.ingest.html import DATA_TYPE, packed_record
from inspector.tokens import Transcript

RECORD = {"id": "run 7", "role": "assistant", "token_ids": [200005, 17196, 200008, 9050, 200002]}


def page(*blocks: str) -> str:
    scripts = "".join(f'<script type="{DATA_TYPE}" data-what="record" data-name="x">{b}</script>\n' for b in blocks)
    return f"<!doctype html>\n<html><body><p>200005 35644</p>{scripts}<script>1 2 3</script></body></html>"


def ids(transcripts: tuple[Transcript, ...]) -> list[tuple[int, ...]]:
    return [transcript.ids for transcript in transcripts]


def test_a_page_is_opened_as_its_records() -> None:
    text = page(packed_record(RECORD), packed_record({**RECORD, "id": "run 8"}))
    for data in (text, text.encode(), f"\ufeff{text}".encode()):
        loaded = read(data)
        assert [t.id for t in loaded.transcripts] == ["run 7", "run 8"]
        assert ids(loaded.transcripts) == [tuple(RECORD["token_ids"])] * 2
        assert loaded.problems == ()
        assert "taken out of an exported page (2 transcripts)" in loaded.explanation
    assert detect(text).format == "records"


@given(
    st.lists(st.none() | st.floats(allow_nan=False, width=32) | st.floats(-50, 0), min_size=70, max_size=90),
    st.integers(0, 3),
    st.booleans(),
)
def test_logprobs_and_alternatives_come_back_to_the_last_bit(
    logprobs: list[float | None], alternatives: int, single: bool
) -> None:
    if single:
        logprobs = [None if value is None else float(np.float32(value)) for value in logprobs]
    count = len(logprobs)
    top = tuple(tuple((n * 7 - 3, logprobs[n] or -0.5) for _ in range(n % (alternatives + 1))) for n in range(count))
    transcript = Transcript(tuple(range(count)), "assistant", "x", logprobs=tuple(logprobs), top=top)
    record = transcript_record(transcript)
    (again,) = read(page(packed_record(record))).transcripts
    assert transcript_record(again) == record


def test_alternatives_that_are_no_small_numbers_stay_in_the_json() -> None:
    transcript = Transcript((1,) * 70, "assistant", "x", top=(((2**40, -1.0),),) * 70)
    (again,) = read(page(packed_record(transcript_record(transcript)))).transcripts
    assert again.top == transcript.top


@pytest.mark.parametrize(
    "names", ['{"logprobs":["f8"]}', '{"logprobs":["x"]}', '{"top":["f4",-1]}', '{"top":["f4",9]}', "[1]", '{"top":[]}']
)
def test_numbers_that_do_not_fit_are_damage(names: str) -> None:
    data = b'{"id":"x","token_ids":[1,2,3],"packed":' + names.encode() + b"}\0" + b"\1" * 12
    loaded = read(page(base64.b64encode(zlib.compress(data)).decode()))
    assert loaded.transcripts == ()
    assert "damaged" in loaded.problems[0].sentence


def test_a_page_asked_for_as_text_or_ids_is_not_unpacked() -> None:
    text = page(packed_record(RECORD))
    assert read(text, format="text").transcripts[0].ids != tuple(RECORD["token_ids"])
    assert set(FORMATS) == {"text", "ids", "records"}


def test_text_that_quotes_a_page_stays_text() -> None:
    text = f"<|channel|>final<|message|>{page(packed_record(RECORD))}<|return|>"
    assert read(text).format == "text"
    assert read("<!doctype html><p>no record</p>").format == "text"


@pytest.mark.parametrize(
    "block",
    [
        "!!!",
        "AAAA",
        base64.b64encode(zlib.compress(b"{")).decode(),
        base64.b64encode(zlib.compress(b"\xff\xfe")).decode(),
        packed_record(RECORD)[:40],
    ],
)
def test_a_damaged_record_costs_that_record_only(block: str) -> None:
    loaded = read(page(block, packed_record(RECORD)))
    if block != "!!!":  # what is no base64 at all is no record of a page
        (problem,) = loaded.problems
        assert problem.sentence.endswith("export the page again")
        assert problem.line > 1
    assert ids(loaded.transcripts) == [tuple(RECORD["token_ids"])]
    alone = read(page(block, "AAAA"))
    assert alone.transcripts == ()
    assert alone.problems
    assert all("the input is empty" not in p.sentence for p in alone.problems)


def test_a_page_that_was_cut_off_says_so() -> None:
    text = page(packed_record(RECORD))
    cut = text[: text.index("</script>") - 8]
    (problem,) = read(cut).problems
    assert "cut short" in problem.sentence


def test_records_that_unpack_to_too_much_are_not_opened() -> None:
    budget = replace(CLI, unpacked=50_000)
    bomb = base64.b64encode(zlib.compress(b"[" + b"0," * 5_000_000)).decode()
    loaded = read(page(packed_record(RECORD), bomb), budget=budget)
    assert ids(loaded.transcripts) == [tuple(RECORD["token_ids"])]
    assert "unpack to more than 48.8 kB" in loaded.problems[0].sentence
    many = [packed_record({**RECORD, "meta": {"x": "y" * 20_000}})] * 4
    assert len(read(page(*many), budget=budget).transcripts) == 2, "the limit holds for all of them together"


def test_what_damaged_records_unpack_to_counts_too() -> None:
    budget = replace(CLI, unpacked=50_000)
    damaged = base64.b64encode(zlib.compress(b"x" * 20_000)[:-1]).decode()
    loaded = read(page(*[damaged] * 9), budget=budget)
    *cut, last = [p.sentence for p in loaded.problems]
    assert len(cut) == 2
    assert all("the record is cut short" in sentence for sentence in cut)
    assert "the records of this page unpack to more than" in last


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return out.getvalue()


def test_a_bundle_is_opened_as_its_records() -> None:
    line = json.dumps(RECORD).encode()
    data = zipped(
        manifest_json=b'{"schema": "harmonylens-gallery/1"}',
        a_jsonl=line + b"\n\n" + line,
        b_json=json.dumps([RECORD, RECORD], indent=2).encode(),
        c_json=json.dumps(RECORD, indent=2).encode(),
        d_txt=b"not read",
    )
    loaded = read(data)
    assert ids(loaded.transcripts) == [tuple(RECORD["token_ids"])] * 5
    assert loaded.problems == ()


def test_a_bundle_of_lines_begins_with_its_manifest() -> None:
    text = f'{{"schema": "harmonylens-gallery/1", "title": "t"}}\n{json.dumps(RECORD)}'
    loaded = read(text)
    assert len(loaded.transcripts) == 1
    assert loaded.problems == ()


def test_gzip_is_opened() -> None:
    for text in (json.dumps(RECORD), page(packed_record(RECORD)), "[200005, 17196, 200008, 9050, 200002]"):
        loaded = read(gzip.compress(text.encode()))
        assert ids(loaded.transcripts) == [tuple(RECORD["token_ids"])]
        assert "decompressed with gzip" in loaded.explanation


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (zipped(a_txt=b"x"), "holds no records"),
        (zipped(a_jsonl=json.dumps(RECORD).encode())[:-30], "is no zip archive, or is damaged"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-12], "cut short"),
        (b"\x80\x04K\x01.", "can run code"),
        (b"PAR1....", "Parquet"),
    ],
)
def test_what_cannot_be_opened_gives_one_sentence(data: bytes, words: str) -> None:
    loaded = read(data)
    assert loaded.transcripts == ()
    (problem,) = loaded.problems
    assert words in problem.sentence


def test_an_archive_that_unpacks_to_too_much_is_not_opened() -> None:
    for data in (zipped(a_jsonl=b"0" * 5_000_000), gzip.compress(b"0" * 5_000_000)):
        (problem,) = read(data, budget=replace(CLI, unpacked=100_000)).problems
        assert "unpacks to more than" in problem.sentence


def test_a_member_that_is_not_json_costs_that_member_only() -> None:
    loaded = read(zipped(a_json=b"{", b_jsonl=json.dumps(RECORD).encode()))
    assert ids(loaded.transcripts) == [tuple(RECORD["token_ids"])]
    assert "not valid JSON" in loaded.problems[0].sentence
