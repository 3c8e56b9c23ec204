"""Galleries from folders and files: what is written opens again to the same; what is hostile or broken is said."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from inspector.gallery import Gallery, SampleError, bundle, load_samples, open_gallery, read_gallery, sample_record
from inspector.gallery.archive import Limits
from inspector.gallery.bundle import SCHEMA, jsonl_lines
from inspector.report.site import build_site

SAMPLES = tuple(load_samples())
WHOLE = Gallery("team", "The team's", "What we saw.", SAMPLES)
LINE = '{"id": "run 7", "token_ids": [200005, 35644]}'


def zipped(members: dict[str, bytes | str], **options: object) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content, **options)  # type: ignore[arg-type]
    return file.getvalue()


def refused(data: bytes, name: str = "x.harmonylens", **options: object) -> str:
    with pytest.raises(SampleError) as caught:
        read_gallery(data, name, **options)  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert sentence.startswith("x.")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_bundle_opens_to_the_same_samples() -> None:
    again = read_gallery(bundle(WHOLE), "team.harmonylens")
    assert again == WHOLE


def test_a_bundle_has_the_same_bytes_whenever_it_is_written() -> None:
    first = bundle(WHOLE)
    assert first == bundle(read_gallery(first, "team.harmonylens"))
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert [entry.date_time[0] for entry in archive.infolist()] == [1980, 1980]
        assert json.loads(archive.read("manifest.json")) == {
            "schema": SCHEMA,
            "title": "The team's",
            "description": "What we saw.",
        }


@pytest.mark.parametrize("packed", [False, True])
def test_json_lines_with_and_without_gzip(packed: bool) -> None:
    head = json.dumps({"schema": SCHEMA, "title": "Night runs", "description": "d"})
    data = "\n".join([head, *(line.strip() for line in jsonl_lines(SAMPLES))]).encode()
    name = "night.jsonl.gz" if packed else "night.harmonylens"
    gallery = read_gallery(gzip.compress(data) if packed else data, name)
    assert (gallery.name, gallery.title, gallery.samples) == ("night", "Night runs", SAMPLES)


def test_a_file_of_plain_records_needs_nothing_else() -> None:
    gallery = read_gallery(LINE.encode(), "My runs (2).jsonl")
    assert (gallery.name, gallery.title) == ("my-runs-2", "My runs (2)")
    assert [(s.name, s.title, s.stated) for s in gallery.samples] == [("run-7", "run 7", False)]


def test_one_array_or_one_object_over_many_lines() -> None:
    records = [sample_record(sample) for sample in SAMPLES[:3]]
    for text in (json.dumps(records, indent=2), "\n".join(json.dumps(r, indent=2) for r in records)):
        assert read_gallery(text.encode(), "x.json").samples == SAMPLES[:3]


def test_the_folder_of_the_samples_is_a_gallery(root: Path) -> None:
    gallery = open_gallery(root / "samples")
    assert {s.name: s for s in gallery.samples} == {s.name: s for s in SAMPLES}
    assert (gallery.name, gallery.problems) == ("samples", ())


def test_a_folder_is_searched_through_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.jsonl").write_text(LINE)
    folder = tmp_path / "runs"
    (folder / "deep" / ".hidden").mkdir(parents=True)
    (folder / "a.jsonl").write_text(LINE)
    (folder / "deep" / "b.json").write_text(LINE)
    (folder / "deep" / "notes.md").write_text("no sample")
    (folder / "deep" / ".hidden" / "c.jsonl").write_text(LINE)
    (folder / "manifest.json").write_text(json.dumps({"schema": SCHEMA, "title": "Runs of today"}))
    os.symlink(tmp_path / "outside.jsonl", folder / "link.jsonl")
    gallery = open_gallery(folder)
    assert [s.name for s in gallery.samples] == ["run-7", "run-7-2"]
    assert (gallery.title, gallery.problems) == ("Runs of today", ())


TEAM = Gallery("team", "The team's", "What we saw.", SAMPLES[:2])


@pytest.mark.parametrize("name", ["x.harmonylens", "x.harmonyscope", "deep/er/X.HARMONYLENS"])
def test_a_folder_with_a_bundle_is_that_gallery(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(bundle(TEAM))
    gallery = open_gallery(tmp_path)
    assert gallery.samples == TEAM.samples
    assert (gallery.title, gallery.description, gallery.problems) == (TEAM.title, TEAM.description, ())


def test_a_folder_of_bundles_and_records_is_all_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "week"
    folder.mkdir()
    (folder / "a.harmonylens").write_bytes(bundle(TEAM))
    (folder / "b.harmonylens").write_bytes(gzip.compress(LINE.encode()))
    (folder / "c.harmonylens").write_bytes(bundle(TEAM)[:200])
    (folder / "d.jsonl").write_text(LINE)
    os.symlink(folder / "a.harmonylens", folder / "e.harmonylens")
    gallery = open_gallery(folder)
    assert [s.name for s in gallery.samples] == [*(s.name for s in TEAM.samples), "run-7", "run-7-2"]
    assert (gallery.name, gallery.title) == ("week", "week"), "one bundle's title is not the folder's"
    (problem,) = gallery.problems
    assert problem.startswith(f"{folder / 'c.harmonylens'}: the zip is cut off")


def test_the_caps_hold_over_all_bundles_of_a_folder(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.harmonylens").write_bytes(zipped({"x.jsonl": LINE + "\n" * 700}))
    (tmp_path / "d.jsonl").write_text(LINE + "\n" * 700)
    gallery = open_gallery(tmp_path, Limits(total=2000))
    assert len(gallery.samples) == 2
    third, plain = gallery.problems
    assert third.startswith(f"{tmp_path / 'c.harmonylens'}: the zip unpacks to 745 bytes; at most 510 bytes are read")
    assert plain == f"{tmp_path / 'd.jsonl'}: left out, 745 bytes are more than is read."
    assert len(open_gallery(tmp_path, Limits(samples=3)).samples) == 3


def test_the_caps_hold_for_what_the_bundles_of_a_folder_take_packed(tmp_path: Path) -> None:
    for name in "abc":
        data = zipped({"notes.md": os.urandom(1000), "x.jsonl": LINE})
        (tmp_path / f"{name}.harmonylens").write_bytes(data)
    gallery = open_gallery(tmp_path, Limits(total=3000))
    assert len(gallery.samples) == 2
    assert gallery.problems == (f"{tmp_path / 'c.harmonylens'}: left out, 1.2 kB are more than is read.",)


def test_the_caps_hold_for_bundles_that_are_damaged(tmp_path: Path) -> None:
    data = bytearray(zipped({"x.jsonl": LINE + "\n" * 700}))
    data[data.rindex(b"PK\x01\x02") + 16] ^= 1  # its checksum: known only after everything was unpacked
    for name in "abcd":
        (tmp_path / f"{name}.harmonylens").write_bytes(data)
    (tmp_path / "z.jsonl").write_text(LINE)
    problems = open_gallery(tmp_path, Limits(total=2000)).problems
    assert [("is damaged" in problem, "unpacks to 745 bytes" in problem) for problem in problems] == [
        (True, False),
        (True, False),
        (False, True),
        (False, True),
    ]


@pytest.mark.parametrize("name", ["harmonylens", "harmonyscope"])
def test_a_site_opens_by_the_bundle_that_it_holds(tmp_path: Path, name: str) -> None:
    build_site(TEAM, tmp_path / "hs")
    site = tmp_path / "hs"
    (site / "harmonylens-site.json").rename(site / f"{name}-site.json")
    (site / "gallery.harmonylens").rename(site / f"gallery.{name}")
    gallery = open_gallery(site)
    assert gallery.samples == TEAM.samples
    assert (gallery.name, gallery.title, gallery.problems) == ("hs", TEAM.title, ())


def test_sites_within_a_folder(tmp_path: Path) -> None:
    build_site(TEAM, tmp_path / "one")
    (tmp_path / "a.jsonl").write_text(LINE)
    (tmp_path / "harmonyscope-site.json").write_text('{"schema": "harmonyscope-site/1", "files": []}')
    gallery = open_gallery(tmp_path)
    assert [s.name for s in gallery.samples] == ["run-7", *(s.name for s in TEAM.samples)]
    assert gallery.problems == ()


def test_a_site_without_its_bundle_has_nothing_to_open(tmp_path: Path) -> None:
    build_site(TEAM, tmp_path / "hs")
    (tmp_path / "hs" / "gallery.harmonylens").unlink()
    with pytest.raises(SampleError, match="there are no samples in it; expected transcript records"):
        open_gallery(tmp_path / "hs")


def test_toml_samples_in_a_zip_have_the_folder_as_family(root: Path) -> None:
    path = next((root / "samples" / "healthy").glob("*.toml"))
    gallery = read_gallery(zipped({f"any/{path.name}": path.read_bytes(), "x.toml": "title = 3"}), "x.zip")
    assert [(s.name, s.family) for s in gallery.samples] == [(path.stem, "any")]
    assert gallery.problems == ("x.zip: x.toml:1: `title` is missing: expected a text.",)


def test_a_broken_line_costs_itself_only() -> None:
    text = f'{LINE}\n{{"id": "cut", "token_ids": [1, \n\n{{"id": "none"}}\n{LINE}\n[1, 2]\n'
    gallery = read_gallery(text.encode(), "x.jsonl")
    assert [s.name for s in gallery.samples] == ["run-7", "run-7-2"]
    assert [p.split(": ", 1)[0] for p in gallery.problems] == ["x.jsonl:2", "x.jsonl:4", "x.jsonl:6"]
    assert "not valid JSON" in gallery.problems[0]
    assert 'neither "token_ids"' in gallery.problems[1]
    assert "found a list" in gallery.problems[2]


def test_names_that_clash_are_numbered_and_stay_addresses() -> None:
    rows = [{"id": name, "token_ids": [1]} for name in ("a", "A", "a 2", "a", "日本語", "../../etc/passwd", "<b>")]
    gallery = read_gallery("\n".join(map(json.dumps, rows)).encode(), "x.jsonl")
    names = [s.name for s in gallery.samples]
    assert names[:4] == ["a", "a-2", "a-2-2", "a-3"]
    assert len(set(names)) == 7
    assert names[5:] == ["etc-passwd", "b"]
    assert gallery.samples[4].title == "日本語"


@pytest.mark.parametrize(
    "name", ["日本語.harmonylens", "../../x y.zip", "<script>.jsonl", ".harmonylens", "", "a\x1b[0m.json"]
)
def test_any_file_name_gives_a_name_and_a_title(name: str) -> None:
    gallery = read_gallery(LINE.encode(), name)
    assert gallery.name.isascii()
    assert "/" not in gallery.name
    assert gallery.title.isprintable()


def test_member_names_are_never_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["../../up.jsonl", "/etc/abs.jsonl", "C:\\win.jsonl", "a\x1bb.jsonl"]
    gallery = read_gallery(zipped(dict.fromkeys(names, LINE)), "x.zip")
    assert len(gallery.samples) == 4
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (zipped({}), "there are no samples in it"),
        (b"", "there are no samples in it"),
        (zipped({"readme.md": "hello"}), "there are no samples in it"),
        (b"PK\x03\x04 and nothing of a zip", "cut off"),
        (zipped({"a.jsonl": LINE})[:-30], "cut off"),
        (b"\xff\xfe not utf-8 \xff", "is no UTF-8"),
        (b"hello", "not valid JSON"),
        (pickle.dumps({"token_ids": [1]}, protocol=4), "can run code"),
        # Without the time: two workers must find tests of the same names.
        (gzip.compress(b"x", mtime=0)[:-9], "cut short"),
        (gzip.compress(zipped({"a.jsonl": LINE}), mtime=0), "archive in an archive"),
        (zipped({"a.jsonl": zipped({"b.jsonl": LINE})}), "archives in archives are not opened"),
        (zipped({"a.jsonl": gzip.compress(LINE.encode(), mtime=0)}), "archives in archives are not opened"),
        (json.dumps({"schema": SCHEMA, "title": "x"}).encode(), "there are no samples in it"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"id": "x", "token_ids": [' + b"9" * 5000 + b"]}", "digits"),
    ],
)
def test_what_is_no_gallery_is_one_sentence(data: bytes, says: str) -> None:
    assert says in refused(data)


def test_a_pickle_by_name_is_never_opened() -> None:
    assert "can run code" in refused(LINE.encode(), "x.pkl")


def test_an_encrypted_member_is_one_sentence_and_the_others_are_kept() -> None:
    data = bytearray(zipped({"a.jsonl": LINE, "b.jsonl": LINE}))
    local, central = data.index(b"PK\x03\x04"), data.index(b"PK\x01\x02")
    data[local + 6] |= 1
    data[central + 8] |= 1
    gallery = read_gallery(bytes(data), "x.zip")
    assert len(gallery.samples) == 1
    assert gallery.problems == ("x.zip: 'a.jsonl' is encrypted; take the password off.",)


def test_a_damaged_member_is_one_sentence_and_the_others_are_kept() -> None:
    data = bytearray(zipped({"a.jsonl": LINE * 3, "b.jsonl": LINE}))
    data[40] ^= 0xFF
    gallery = read_gallery(bytes(data), "x.zip")
    assert len(gallery.samples) == 1
    assert "'a.jsonl' is damaged" in gallery.problems[0]


def test_links_in_a_zip_are_not_followed() -> None:
    info = zipfile.ZipInfo("link.jsonl")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, "/etc/passwd")
        archive.writestr("__MACOSX/._a.jsonl", b"\x00\x05")
        archive.writestr("a.jsonl", LINE)
    gallery = read_gallery(file.getvalue(), "x.zip")
    assert (len(gallery.samples), gallery.problems) == (1, ())


def bomb(size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.jsonl", "w") as member:
        for _ in range(size >> 20):
            member.write(b"0" * (1 << 20))
    return file.getvalue()


def lying(data: bytes, declared: int) -> bytes:
    """The zip with another uncompressed size in its list of members and before the member itself."""
    changed = bytearray(data)
    for mark, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        struct.pack_into("<L", changed, changed.index(mark) + at, declared)
    return bytes(changed)


@pytest.mark.parametrize("declared", [None, 100, 0xFFFF_FFF0])
def test_a_bomb_gets_its_sentence_in_little_memory(declared: int | None) -> None:
    data = bomb(300 << 20)
    data = data if declared is None else lying(data, declared)
    tracemalloc.start()
    sentence = refused(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "unpacks to" in sentence or "is damaged" in sentence or "cannot be opened" in sentence
    assert peak < 40 << 20


def test_a_gzip_bomb_gets_its_sentence() -> None:
    assert "unpacks to more than" in refused(gzip.compress(b"0" * (70 << 20), 1), "x.jsonl.gz")


def test_a_list_of_members_without_end_is_not_even_listed() -> None:
    data = zipped({f"{number}": b"" for number in range(300)})
    sentence = refused(data, limits=Limits(members=20, directory=1000))
    assert sentence == "x.harmonylens: the zip's list of members is too long; at most 20 members are read."
    assert "has 300 members; at most 20" in refused(data, limits=Limits(members=20))


def test_a_64_bit_list_of_members_is_not_believed() -> None:
    data = zipped({"a.jsonl": LINE})
    end = data.rindex(b"PK\x05\x06")
    forged = data[:end] + b"PK\x06\x07" + b"\0" * 16 + data[end:]
    assert "list of members is too long" in refused(forged)


def test_caps_keep_what_fits() -> None:
    many = "\n".join(json.dumps({"id": f"r{n}", "token_ids": [n]}) for n in range(30))
    gallery = read_gallery(many.encode(), "x.jsonl", Limits(samples=10))
    assert len(gallery.samples) == 10
    assert gallery.problems == ("x.jsonl: only the first 10 samples are read, split the gallery.",)
    members = zipped({"a.jsonl": LINE, "big.jsonl": "\n" * 5000})
    gallery = read_gallery(members, "x.zip", Limits(member=1000))
    assert len(gallery.samples) == 1
    assert "'big.jsonl' unpacks to more than 1,000 bytes" in gallery.problems[0]


def test_a_bundle_that_nobody_could_open_is_not_written() -> None:
    with pytest.raises(SampleError, match="more than a bundle holds"):
        bundle(WHOLE, Limits(member=1000))


def test_a_path_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"nowhere\.harmonylens: cannot be read: No such file"):
        open_gallery(tmp_path / "nowhere.harmonylens")
    with pytest.raises(SampleError, match="there are no samples in it"):
        open_gallery(tmp_path)


def test_another_version_of_the_manifest_is_said_and_read() -> None:
    text = json.dumps({"schema": "harmonylens-gallery/9", "title": "T"}) + "\n" + LINE
    gallery = read_gallery(text.encode(), "x.jsonl")
    assert (gallery.title, len(gallery.samples)) == ("T", 1)
    assert gallery.problems[0].startswith("x.jsonl: the manifest says 'harmonylens-gallery/9', expected")


def test_lone_surrogates_do_not_stop_a_gallery_from_being_shown() -> None:
    text = '{"id": "\\ud800", "token_ids": [1], "title": "\\udfff", "tags": ["\\ud800"]}'
    gallery = read_gallery(text.encode(), "x.jsonl")
    assert json.dumps(sample_record(gallery.samples[0]), ensure_ascii=False).encode()


def test_two_thousand_samples_have_names_of_their_own() -> None:
    rows = [sample_record(SAMPLES[n % len(SAMPLES)]) for n in range(2000)]
    data = "\n".join(map(json.dumps, rows)).encode()
    gallery = read_gallery(data, "x.jsonl")
    assert len({s.name for s in gallery.samples}) == 2000
