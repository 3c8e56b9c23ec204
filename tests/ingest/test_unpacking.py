"""Compressed data from elsewhere: taken apart exactly, under a limit, with one sentence where it cannot be."""

from __future__ import annotations

import gzip
import io
import lzma
import pickle
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.budgets import APP, CLI
from inspector.ingest import read, unpacked_at_most, unpacking
from inspector.ingest.unpacking import LZMA, UnpackError, in_words, inflate, is_gzip, is_zip, refusal, unzip, zip_files

FORMS = ("raw", "zlib", "gzip", "lzma")


def packed(data: bytes, form: str) -> bytes:
    if form == "gzip":
        return gzip.compress(data)
    if form == "lzma":
        return lzma.compress(data, lzma.FORMAT_RAW, filters=list(LZMA))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15 if form == "raw" else 15)
    return packer.compress(data) + packer.flush()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("form", FORMS)
@given(data=st.binary(max_size=4000))
def test_what_was_packed_comes_out(form: str, data: bytes) -> None:
    assert inflate(packed(data, form), len(data), form=form) == data  # type: ignore[arg-type]


@pytest.mark.parametrize("form", FORMS)
def test_one_byte_above_the_limit_is_refused(form: str) -> None:
    data = bytes(5000)
    assert len(inflate(packed(data, form), 5000, form=form)) == 5000  # type: ignore[arg-type]
    with pytest.raises(UnpackError, match=r"^The link unpacks to more than 4\.9 kB, and was not opened\.$"):
        inflate(packed(data, form), 4999, form=form, what="The link")  # type: ignore[arg-type]


@pytest.mark.parametrize("form", FORMS)
def test_a_bomb_costs_no_more_than_its_limit(form: str) -> None:
    bomb = packed(bytes(64 * 2**20), form)
    tracemalloc.start()
    with pytest.raises(UnpackError, match="more than 1 MB"):
        inflate(bomb, 2**20, form=form)  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # LZMA holds its dictionary of 8 MiB besides.
    assert peak < 12 * 2**20


def sentence(data: bytes, form: str) -> str:
    """What is said of data that cannot be unpacked, "" where it can."""
    try:
        inflate(data, 10_000, form=form)  # type: ignore[arg-type]
    except UnpackError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("form", FORMS)
@given(junk=st.binary(max_size=200))
def test_junk_is_one_sentence(form: str, junk: bytes) -> None:
    said = sentence(junk, form)
    assert said == "" or (said.count(".") == 1 and said.endswith("."))


@pytest.mark.parametrize("form", FORMS)
def test_cut_short_and_continued(form: str) -> None:
    data = packed(bytes(range(256)) * 20, form)
    for cut in (0, 1, len(data) // 2, len(data) - 1):
        with pytest.raises(UnpackError):
            inflate(data[:cut], 10_000, form=form)  # type: ignore[arg-type]
    with pytest.raises(UnpackError):
        inflate(data + b"more", 10_000, form=form)  # type: ignore[arg-type]


def test_gzip_members_one_after_the_other_are_one_file() -> None:
    data = gzip.compress(b"one ") + gzip.compress(b"two")
    assert inflate(data, 7, form="gzip") == b"one two"
    with pytest.raises(UnpackError, match="more than 6 bytes"):
        inflate(data, 6, form="gzip")
    assert inflate(gzip.compress(b"padded") + bytes(512), 100, form="gzip") == b"padded"


def test_the_files_of_an_archive() -> None:
    data = zipped({"a/one.json": b"1", "b.txt": b"22", "c.json": b"333"})
    assert list(unzip(data)) == [("a/one.json", b"1"), ("b.txt", b"22"), ("c.json", b"333")]
    assert [name for name, _ in unzip(data, wanted=lambda name: name.endswith(".json"))] == ["a/one.json", "c.json"]


def test_the_limit_is_for_all_files_together() -> None:
    data = zipped({f"{n}": bytes(100) for n in range(10)})
    assert len(list(unzip(data, 1000))) == 10
    with pytest.raises(UnpackError, match="more than 999 bytes"):
        list(unzip(data, 999))


def test_an_archive_that_lies_about_its_sizes_gains_nothing() -> None:
    data = bytearray(zipped({"bomb": bytes(50 * 2**20)}))
    real = (50 * 2**20).to_bytes(4, "little")
    assert data.count(real) == 2
    claimed = bytes(data.replace(real, (10).to_bytes(4, "little")))
    tracemalloc.start()
    with pytest.raises(UnpackError):
        list(unzip(claimed, 2**20))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_archives_that_are_not_read() -> None:
    with pytest.raises(UnpackError, match="no zip archive"):
        list(unzip(b"PK\x03\x04 and no more"))
    with pytest.raises(UnpackError, match="pack it with deflate"):
        list(unzip(zipped({"a": b"1"}, zipfile.ZIP_LZMA)))
    locked = bytearray(zipped({"a": b"1"}))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnpackError, match="without a password"):
        list(unzip(bytes(locked)))
    broken = bytearray(zipped({"a": bytes(range(200))}, zipfile.ZIP_STORED))
    broken[80] ^= 1
    with pytest.raises(UnpackError, match="damaged"):
        list(unzip(bytes(broken)))


def test_too_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_MEMBERS", 3)
    with pytest.raises(UnpackError, match="has 4 files; at most 3 are read"):
        list(unzip(zipped({str(n): b"" for n in range(4)})))


class Loud:
    """A pickle of it would run code when it is opened."""

    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("opened",))


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_are_told_by_name_or_by_content(protocol: int, capsys: pytest.CaptureFixture[str]) -> None:
    data = pickle.dumps(Loud(), protocol)
    assert "can run code" in (refusal(data, "runs.pkl") or "")
    if protocol >= 2:
        assert "can run code" in (refusal(data, "runs.jsonl") or "")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["a.PT", "model.pth", "x.ckpt", "y.joblib", "z.npz", "z.npy"])
def test_files_that_would_be_unpickled_are_refused_by_name(name: str) -> None:
    assert "never opened" in (refusal(b"[1, 2]", name) or "")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x28\xb5\x2f\xfd....", "zstd"),
        (b"\xfd7zXZ\x00....", "xz"),
        (b"BZh9....", "bzip2"),
        (b"PAR1....", "Parquet"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_other_files_are_named(data: bytes, words: str) -> None:
    assert words in (refusal(data, "runs.bin") or "")


@pytest.mark.parametrize("data", [b"", b"[1, 2]", b"<|start|>", "\ufeffé".encode(), b"\x80abc"])
def test_text_is_read(data: bytes) -> None:
    assert refusal(data, "runs.jsonl") is None
    assert refusal(data) is None


def test_signatures() -> None:
    assert is_gzip(gzip.compress(b"x"))
    assert is_zip(zipped({}))
    assert is_zip(zipped({"a": b""}))
    assert not is_gzip(b"\x1f\x8b")
    assert not is_zip(b"PK")


def test_sizes_in_words() -> None:
    sizes = (0, 1023, 1024, 1536, 2**20, 64 * 2**20)
    assert [in_words(n) for n in sizes] == ["0 bytes", "1,023 bytes", "1 kB", "1.5 kB", "1 MB", "64 MB"]


def test_a_damaged_file_costs_that_file_only() -> None:
    data = bytearray(zipped({"a": b"1111", "b": b"2222", "c": b"3333"}, zipfile.ZIP_STORED))
    data[data.index(b"2222")] ^= 1
    names = [(name, body if isinstance(body, bytes) else str(body)) for name, body in zip_files(bytes(data))]
    assert names == [
        ("a", b"1111"),
        ("b", "The archive is damaged: one of its files cannot be decompressed."),
        ("c", b"3333"),
    ]


def test_links_folders_and_hidden_files_are_passed_over() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link.json")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("folder/", "")
        archive.writestr("folder/.hidden.json", "1")
        archive.writestr("folder/one.json", "2")
    assert list(unzip(out.getvalue())) == [("folder/one.json", b"2")]


def test_a_list_of_files_that_is_too_long_is_not_made_into_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_DIRECTORY", 100)
    with pytest.raises(UnpackError, match="list of files that is too long"):
        list(unzip(zipped({str(n): b"" for n in range(4)})))


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        (gzip.compress(b"[200005]", mtime=0), "it is an archive in an archive, and was not opened"),
        (b"\x80\x04K\x01.", "can run code"),
    ],
)
def test_what_is_in_a_gzip_file_is_judged_as_what_is_not(inside: bytes, said: str) -> None:
    found = read(gzip.compress(inside))
    assert not found.transcripts
    assert said in found.problems[0].sentence


def test_what_an_input_may_unpack_to() -> None:
    """Its own size says how much there is to read, except where it is compressed."""
    text = '{"token_ids": [1]}\n'
    page = "\n<!DOCTYPE html><html>"
    for plain in (text, text.encode(), "", b"", text * 100, b"PK", b"\xff\xfe"):
        assert unpacked_at_most(plain, CLI) == len(plain)
    for compressed in (gzip.compress(text.encode()), zipped({"a.jsonl": text.encode()}), page, page.encode()):
        assert unpacked_at_most(compressed, CLI) == CLI.unpacked
        assert unpacked_at_most(compressed, APP) == APP.unpacked
