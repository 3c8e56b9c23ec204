"""What people paste, give as files and send as links: reading it, and refusing it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
import zlib

from inspector.gallery import SampleError, read_gallery
from inspector.gallery.link import LinkError, read_link
from inspector.ingest import iter_records, read
from inspector.ingest.html import packed_record
from inspector.ingest.ids import read_ids
from inspector.ingest.wrapping import unwrap
from inspector.renamed import NAME
from inspector.tokens import vocabulary

from .harness import case

MANY = 64_000_000
REFUSED = (SampleError, LinkError)


def gallery(given: tuple[bytes, str]) -> object:
    return read_gallery(*given)


def records(text: str) -> object:
    return read(text, format="records")


def stream(data: bytes) -> int:
    return sum(1 for _ in iter_records(io.BytesIO(data)))


reading = case(read, n=8_000, most=MANY)
as_records = case(records, n=8_000, most=MANY)
as_stream = case(stream, n=8_000, most=MANY)
as_gallery = case(gallery, n=8_000, most=MANY, refuses=REFUSED)
as_link = case(read_link, n=8_000, most=MANY, refuses=REFUSED)


def times(text: str, n: int) -> str:
    return text * max(1, n // len(text))


# Text, and what it comes wrapped in.


@case(read, n=50_000, most=1_600_000)
def blanks_in_runs_just_below_those_that_are_cut(n: int) -> str:
    return times(" " * 49_999 + "x", max(n, 500_000))


@reading
def tildes(n: int) -> str:
    return times("~~~ ", n)


@case(unwrap, n=8_000, most=MANY)
def one_long_fence_of_tildes(n: int) -> str:
    return "~" * n


@reading
def fences_in_fences(n: int) -> str:
    return times("```\n", n)


@reading
def a_quote_that_does_not_end(n: int) -> str:
    return "'" + "\\a" * (n // 2) + "x'\n'"


@case(unwrap, n=8_000, most=MANY)
def escapes_in_a_quote(n: int) -> str:
    return '"' + times("\\u0061", n) + '"'


@reading
def utf_16(n: int) -> bytes:
    return b"\xff\xfe" + times("a b ", n).encode("utf-16-le")


@reading
def bytes_that_are_no_utf_8(n: int) -> bytes:
    return b"\xff\n" * (n // 2)


@reading
def carriage_returns(n: int) -> str:
    return times("\r\n ", n) + "x"


@reading
def markers(n: int) -> str:
    return times("<|start|>", n)


@reading
def near_markers(n: int) -> str:
    return times("<|reserved_", n)


@reading
def line_breaks(n: int) -> str:
    return times("\n" * 1_000 + "x", n)


# Ids.


@reading
def a_gap_within_ids(n: int) -> str:
    return "1 2 3 4 5 6 7 8" + " " * n + "x"


@case(read_ids, n=8_000, most=MANY)
def gaps_around_ids(n: int) -> str:
    return " " * n + "1 2 3 4 5 6 7 8" + " " * n + "x"


@reading
def commas_behind_ids(n: int) -> str:
    return "[1,2,3,4,5,6" + "," * n + "x"


@reading
def plain_ids(n: int) -> str:
    return times("200005 ", n)


@reading
def hexadecimal_ids(n: int) -> str:
    return times("0x1 ", n)


@reading
def ids_as_numpy_writes_them(n: int) -> str:
    return "[1,2,3," + times("np.int64(5),", n) + "]"


@reading
def brackets_that_nothing_closes(n: int) -> str:
    return "[" * n


@reading
def rows_of_one(n: int) -> str:
    return "[" + times("[1],", n) + "]"


@reading
def underscores_in_a_number(n: int) -> str:
    return "[1,2,3,4,1" + "_1" * (n // 2) + "x]"


@reading
def one_huge_number(n: int) -> str:
    return "[1, " + "9" * n + "]"


@reading
def huge_numbers(n: int) -> str:
    return "[" + times("9" * 3_999 + ",", n) + "]"


@case(read_ids, n=8_000, most=MANY)
def a_label_with_a_gap(n: int) -> str:
    return "a" + " " * n + "= [1]"


@case(lambda text: read(text, format="ids"), n=8_000, most=MANY)
def a_label_of_words(n: int) -> str:
    return times("a . ", n) + "= array([1])"


# Records.


@as_records
def bad_lines(n: int) -> str:
    return '{"token_ids":[1]}\n' + times("{x\n", n)


@as_records
def bad_objects_in_an_array(n: int) -> str:
    return '[\n{"token_ids":[1]},\n' + times("{x\n", n)


@as_records
def objects_in_objects_that_nothing_closes(n: int) -> str:
    return '[\n{"token_ids":[1]},\n' + times('{"a":\n', n)


@case(records, n=500_000, most=1_000_000)
def lists_in_objects_that_nothing_closes(n: int) -> str:
    return "[\n" + times('{"token_ids":[1],"a":[\n', n)


@as_records
def line_breaks_behind_a_bad_object(n: int) -> str:
    return "[\n{x" + "\n" * n + "y"


@as_records
def an_array_in_one_line(n: int) -> str:
    return "[\n" + times('{"token_ids":[1]},', n) + '{"token_ids":[2]}]'


@as_records
def fields_that_are_left_out(n: int) -> str:
    return times('{"token_ids":[1,2],"origins":[1],"logprobs":[1],"top":1,"tools":1,"stop_reason":{}}\n', n)


@as_records
def a_bad_entry_at_the_end_of_a_list(n: int) -> str:
    return '{"token_ids":[' + times("1,", n) + "true]}"


@as_records
def deep_json_in_one_line(n: int) -> str:
    return '{"token_ids":[1],"a":' + "[" * n + "]" * n + "}"


@as_records
def one_object_over_many_lines(n: int) -> str:
    return '{\n"token_ids": [\n' + times("1,\n", n) + "1\n]}"


# From a million commas on strings are looked at apart: all three sizes are below.
@case(records, n=8_000, most=512_000)
def a_field_that_nearly_has_its_name(n: int) -> str:
    return '{"token_ids":[1], "origins": 5, "x":[' + times('"origins" ,', n) + "1]}"


@as_records
def commas_in_a_text(n: int) -> str:
    return '{"token_ids":[1],"note":"' + times(',[\\"', n) + '"}'


@as_records
def places_of_bad_entries(n: int) -> str:
    return "[\n" + times("5,\n", n) + '{"token_ids":[1]}]'


@as_stream
def a_stream_of_bad_lines(n: int) -> bytes:
    return times("{x\n", n).encode()


@case(stream, n=8_000, most=1_000_000)
def a_stream_in_utf_16_of_one_line(n: int) -> bytes:
    return b"\xff\xfe" + times("ab", n).encode("utf-16-le")


@as_stream
def a_stream_of_one_array(n: int) -> bytes:
    return b"[\n" + times('{"token_ids":[1]},\n', n).encode()


# Archives and pages.


@case(read, n=20_000, most=1_000_000)
def gzip_of_many_streams(n: int) -> bytes:
    return gzip.compress(b"", mtime=0) * (n // 20)


@reading
def zeros_behind_gzip(n: int) -> bytes:
    return gzip.compress(b"1 2 3", mtime=0) + b"\0" * n


@reading
def gzip_of_lists(n: int) -> bytes:
    return gzip.compress(b"[" + b"[]," * (n // 3) + b"0]", 1)


@case(read, n=200, most=4_000)
def zip_of_many_files(n: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(n):
            archive.writestr(f"{number}.json", b"x")
    return file.getvalue()


@reading
def damaged_blocks_of_a_page(n: int) -> str:
    block = f'<script type="application/x-{NAME}" data-what="record">AAAA</script>\n'
    return "<!doctype html>\n" + times(block, n)


@reading
def blocks_of_a_page(n: int) -> str:
    data = packed_record({"token_ids": [1]})
    return "<!doctype html>\n" + times(f'<script type="application/x-{NAME}" data-what="record">{data}</script>\n', n)


@reading
def openings_of_blocks(n: int) -> str:
    return "<!doctype html>\n" + times(f'<script type="application/x-{NAME}" data-what="record"', n)


# Galleries.


@as_gallery
def a_gallery_of_bad_objects(n: int) -> tuple[bytes, str]:
    return ('[\n{"token_ids":[1]},\n' + times("{x\n", n)).encode(), "a.json"


@as_gallery
def a_gallery_in_one_line(n: int) -> tuple[bytes, str]:
    return ("[\n" + times('{"token_ids":[1]},', min(n, 80_000)) + "1]").encode(), "a.json"


@as_gallery
def a_gallery_of_one_name(n: int) -> tuple[bytes, str]:
    return times('{"id":"a","token_ids":[1]}\n', min(n, 120_000)).encode(), "a.jsonl"


@as_gallery
def a_key_of_many_dots(n: int) -> tuple[bytes, str]:
    return ("a" + ".a" * (n // 2) + "=1").encode(), "a.toml"


@as_gallery
def quotes_in_toml(n: int) -> tuple[bytes, str]:
    return ('"' * n).encode(), "a.toml"


@as_gallery
def pieces_of_a_toml_sample(n: int) -> tuple[bytes, str]:
    head = 'title="a"\nstory="b"\nexpected=[]\ntranscript=['
    return (head + times('{plain="a"},', n) + "]").encode(), "a.toml"


@as_gallery
def arrays_in_toml_that_nothing_closes(n: int) -> tuple[bytes, str]:
    return ("a = " + "[" * n).encode(), "a.toml"


# Links.


def sealed(ids: bytes, head: bytes = b"{}") -> str:
    size = len(head)
    assert size < 2**14
    body = (bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])) + head + ids
    body += zlib.crc32(body).to_bytes(4, "little")
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return "h1." + base64.urlsafe_b64encode(b"\x01" + packer.compress(body) + packer.flush()).decode().rstrip("=")


@as_link
def a_link_of_one_token(n: int) -> str:
    return sealed(b"\x01" * n)


@as_link
def a_link_of_ids_that_do_not_end(n: int) -> str:
    return sealed(b"\xff" * n + b"\x01")


@as_link
def a_link_of_long_ids(n: int) -> str:
    return sealed((b"\xff" * 9 + b"\x01") * (n // 10))


@case(read_link, n=100, most=8_000, refuses=REFUSED)
def a_link_with_a_deep_head(n: int) -> str:
    return sealed(b"\x01", ('{"a":' + "[" * n)[:16_000].encode())


@as_link
def what_is_no_link(n: int) -> str:
    return "h1." + "A" * n + " " * n + "x"


@case(lambda text: read(text), n=8_000, most=MANY)
def many_small_records(n: int) -> str:
    return times(json.dumps({"id": "x", "text": "<|channel|>final<|message|>a<|return|>"}) + "\n", n)


vocabulary().encode("what is made once")
