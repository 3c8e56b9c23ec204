"""Every budget, with both sides of it: just within is read, just beyond is refused with its sentence."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector import budgets
from inspector.budgets import (
    APP,
    CLI,
    GALLERY,
    MAX_DEPTH,
    MAX_DOTS,
    MAX_LISTED,
    Budget,
    first_beyond,
    json_depth,
    json_values_in,
    number_of,
    toml_refusal,
    values_in,
)
from inspector.gallery import SampleError, read_gallery
from inspector.ingest import Problem, iter_records, read, switches_of
from inspector.ingest import unpacking as unpacking_module
from inspector.ingest.documents import parse_json
from inspector.tokens import Transcript
from inspector.tokens.vocabulary import Vocabulary

SMALL = Budget(
    "the test", tokens=4, characters=40, records=3, values=20, notes=9, together=12, unpacked=1000, advice="cut it"
)

IDS = [-(2**63), -1, 0, 201_088, 2**63, 2**64 - 1]
BEYOND = [-(2**63) - 1, 2**64, 10**30, -(10**5000), 2**20_000]


def sentence(data: str | bytes, budget: Budget, **options: Any) -> str:
    loaded = read(data, budget=budget, **options)
    assert loaded.transcripts == ()
    (problem,) = loaded.problems
    assert problem.lost
    return problem.sentence


class TestIds:
    @pytest.mark.parametrize("number", IDS)
    def test_64_bits_are_an_id_everywhere(self, number: int) -> None:
        transcript = Transcript((1, number), prompt_ids=(number,), stop_reason=number)
        assert transcript.ids[1] == number
        for text in (str(number), f"{number:#x}", f"[{number}]", f"{number:_}"):
            assert read(text, format="ids").transcripts[0].ids == (number,), text
        record = {"token_ids": [number], "prompt_token_ids": [number], "stop_reason": number, "top": [[[number, -1]]]}
        (found,) = read(json.dumps(record)).transcripts
        assert (found.ids, found.prompt_ids, found.stop_reason) == ((number,), (number,), number)
        assert found.top == (((number, -1.0),),)

    @pytest.mark.parametrize("number", BEYOND, ids=["low", "high", "30 digits", "5001 digits", "20001 bits"])
    def test_what_is_beyond_is_none(self, number: int) -> None:
        for wrong in ({"ids": (1, number)}, {"prompt_ids": (1, number)}):
            with pytest.raises(ValueError, match=r"ids\[1\] is beyond 64 bits: token ids are -2\*\*63 to 2\*\*64 - 1"):
                Transcript(**{"ids": (1,), **wrong})
        with pytest.raises(ValueError, match="stop_reason is beyond 64 bits"):
            Transcript((1,), stop_reason=number)

    @pytest.mark.parametrize(
        "digits", ["18446744073709551616", "-9223372036854775809", "9" * 100_000, "-1" + "0" * 9999]
    )
    def test_digits_are_judged_and_not_converted(self, digits: str) -> None:
        assert number_of(digits) is None
        assert sentence(f"a=[{digits}]", CLI, format="ids") == (
            "line 1, column 4: expected a token id, found a number beyond 64 bits"
        )

    @given(st.integers(-(2**70), 2**70))
    def test_the_digits_give_the_number(self, number: int) -> None:
        wanted = number if -(2**63) <= number < 2**64 else None
        sign = "-" if number < 0 else ""
        for digits in (
            str(number),
            f"{number:_}",
            hex(number),
            f"{sign}000{abs(number)}",
            f"{sign}{'0' * 5000}{abs(number)}",
        ):
            assert number_of(digits) == wanted

    def test_a_record_names_the_entry(self) -> None:
        beyond = 2**64
        loaded = read(f'{{"token_ids": [1], "prompt_token_ids": [5, {beyond}], "stop_reason": {beyond}}}')
        assert [p.sentence for p in loaded.problems] == [
            'line 1, column 82: "stop_reason" is a huge integer, expected a string, a token id or null; '
            "the field was left out",
            'line 1, column 44: "prompt_token_ids"[1]: expected a token id, found a number beyond 64 bits; '
            "the field was left out",
        ]

    def test_a_sample_in_toml_cannot_have_one_either(self) -> None:
        text = 'title = "t"\nstory = "s"\nexpected = []\ntranscript = [0x{}]\n'
        assert read_gallery(text.format("f" * 16).encode(), "a.toml").samples[0].transcript.ids == (2**64 - 1,)
        with pytest.raises(SampleError, match=r"a\.toml:4: `transcript` holds a huge number; expected a text"):
            read_gallery(text.format("1" + "0" * 5000).encode(), "a.toml")

    def test_the_first_is_found(self) -> None:
        assert first_beyond(()) is None
        assert first_beyond(IDS) is None
        assert first_beyond([*IDS, *BEYOND]) == len(IDS)


class TestSizes:
    @pytest.mark.parametrize(
        "data", ["1 2 3 4", "[1,2,3,4]", '{"token_ids": [1,2,3,4]}', "a b c d", '{"text": "a b c d"}']
    )
    def test_tokens(self, data: str) -> None:
        assert len(read(data, budget=SMALL).transcripts[0]) == 4
        refused = sentence(data, replace(SMALL, tokens=3))
        assert refused.endswith("a transcript of 4 tokens is more than the test reads (3); cut it")
        assert refused.startswith("line 1, column ")

    def test_a_row_of_many_that_has_too_many(self) -> None:
        loaded = read("[[1, 2], [1, 2, 3, 4, 5], [3]]", budget=SMALL)
        assert [t.ids for t in loaded.transcripts] == [(1, 2), (3,)]
        assert "row 2: a transcript of 5 tokens is more than the test reads (4)" in loaded.problems[0].sentence

    def test_characters_are_counted_before_they_are_encoded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        budget = replace(SMALL, tokens=99)
        assert len(read("a" * 40, budget=budget, format="text").transcripts) == 1
        monkeypatch.setattr(Vocabulary, "encode", None)
        assert "a text of 41 characters is more than the test reads (40); cut it" in sentence("a" * 41, budget)
        record = json.dumps({"text": "a" * 41})
        assert "a text of 41 characters is more than the test reads (40)" in sentence(record, budget)

    @pytest.mark.parametrize("joined", ["\n", "document", "ids"])
    def test_records(self, joined: str) -> None:
        def made(count: int) -> str:
            if joined == "ids":
                return json.dumps([[1]] * count)
            if joined == "document":
                return json.dumps([{"token_ids": [1]}] * count, indent=0)
            return joined.join(['{"token_ids": [1]}'] * count)

        budget = replace(SMALL, values=99)
        whole = read(made(3), budget=budget)
        assert (len(whole.transcripts), whole.problems) == (3, ())
        cut = read(made(4), budget=budget)
        assert len(cut.transcripts) == 3
        (problem,) = cut.problems
        assert problem.sentence == "the test reads the first 3 records of an input; cut it"
        assert problem.lost

    def test_json_values(self) -> None:
        record = '{"token_ids": [1], "meta": {"x": [%s]}}'
        within, beyond = (record % ",".join(["1"] * count) for count in (12, 13))
        assert (json_values_in(within), json_values_in(beyond)) == (20, 21)
        assert len(read(within, budget=SMALL).transcripts) == 1
        assert "JSON of 21 values is more than the test reads (20); cut it" in sentence(beyond, SMALL)
        many = "[\n" + ",\n".join(['{"token_ids": [1]}'] * 10) + "\n]"
        assert "JSON of 41 values is more than the test reads (20)" in sentence(many, SMALL)

    def test_commas_in_text_are_no_values_where_it_matters(self) -> None:
        text = '{"text": "' + "," * 2_000_000 + '", "a": [1, 2]}'
        assert json_values_in(text) < 10

    def test_bytes(self) -> None:
        text = "x" * 1000
        budget = replace(SMALL, characters=10_000, tokens=10_000)
        for pack in (str, str.encode, lambda t: gzip.compress(t.encode())):
            assert len(read(pack(text), budget=budget, format="text").transcripts) == 1
        for pack in (str, str.encode):
            assert "an input of 1,001 bytes is more than the test reads (1,000); cut it" in sentence(
                pack(text + "x"), budget
            )
        assert sentence(gzip.compress(text.encode() + b"x"), budget) == (
            "line 1, column 1: the file unpacks to more than 1,000 bytes, and was not opened; cut it"
        )

    def test_a_line_of_a_stream_that_is_too_long_is_passed_over(self) -> None:
        line = '{"token_ids": [1]}'
        budget = replace(CLI, characters=len(line) + 1)
        for long in ("x" * 100, "x" * (len(line) + 2), "[" * 3_000_000):
            for bom, codec in (("", "utf-8"), ("\ufeff", "utf-16-le")):
                data = f"{bom}{line}\n{long}\n{line}\n{long}".encode(codec)
                items = list(iter_records(io.BytesIO(data), budget=budget))
                assert [type(item) for item in items] == [Transcript, Problem, Transcript, Problem]
                assert [item.line for item in items if isinstance(item, Problem)] == [2, 4]
                assert "a line of 20 characters is more than the command line reads (19)" in str(items[1])
                assert getattr(items[2], "source", "") == "line 3"

    def test_a_document_of_a_stream_that_is_too_long_is_not_held(self) -> None:
        text = '[\n{"token_ids": [1]},\n{"token_ids": [2]}\n]\n'
        assert len(list(iter_records(io.StringIO(text), budget=replace(CLI, characters=len(text))))) == 2
        (problem,) = iter_records(io.StringIO(text), budget=replace(CLI, characters=len(text) - 1))
        assert "a JSON document over many lines of 43 characters is more than" in str(problem)

    def test_the_app_reads_less_than_the_command_line_and_both_read_a_whole_context(self) -> None:
        for name in ("tokens", "characters", "records", "values", "notes", "together", "unpacked"):
            assert getattr(APP, name) < getattr(CLI, name)
        assert APP.tokens == 2 * 131_072
        assert CLI.tokens >= 10_000_000
        assert "harmonylens inspect FILE" in str(APP.too_many_tokens(APP.tokens + 1))
        assert APP.too_many_tokens(APP.tokens) is None


class TestMeta:
    """What a record has beside its tokens travels with it each time that it is asked about."""

    @pytest.mark.parametrize("shape", ['"meta": {"x": [%s]}', '"extra": [%s]', '"meta": {"y": {"x": [%s]}}, "id": "a"'])
    def test_it_is_kept_to_its_last_value_or_not_at_all(self, shape: str) -> None:
        budget = replace(SMALL, values=999)
        room = next(count for count in range(20, 0, -1) if self.kept(shape, count, budget))
        (within,) = read(self.record(shape, room), budget=budget).transcripts
        assert values_in(within.meta, 99) == budget.notes
        loaded = read(self.record(shape, room + 1), budget=budget)
        (transcript,) = loaded.transcripts
        assert (transcript.ids, transcript.meta, transcript.role) == ((1,), {}, "assistant")
        (problem,) = loaded.problems
        assert not problem.lost
        assert problem.sentence.endswith(
            'what the record has beside its tokens ("meta" and unknown fields) has more than 9 values, '
            "which the test does not keep; the fields were left out"
        )

    def record(self, shape: str, count: int) -> str:
        return f'{{"token_ids": [1], "role": "assistant", {shape % ",".join(["[]"] * count)}}}'

    def kept(self, shape: str, count: int, budget: Budget) -> bool:
        return not read(self.record(shape, count), budget=budget).problems

    def test_what_we_wrote_ourselves_has_the_same_bound(self) -> None:
        def made(count: int) -> str:
            off = [f"k{number}" for number in range(count)]
            return json.dumps({"schema": "harmonylens/transcript/1", "token_ids": [1], "settings": {"off": off}})

        budget = replace(SMALL, values=999)
        assert len(switches_of(read(made(5), budget=budget).transcripts[0]).off) == 5
        loaded = read(made(7), budget=budget)
        assert loaded.transcripts[0].meta == {}
        assert len(loaded.problems) == 1

    def test_tools_and_a_prompt_are_left_out_too(self) -> None:
        budget = replace(SMALL, values=999)
        for key, count, end in (
            ("tools", budget.notes, '"tools" has more than 9 names, which the test does not keep'),
            ("prompt_token_ids", budget.tokens, "a prompt of 5 tokens is more than the test reads (4); cut it"),
        ):
            value = ["a" if key == "tools" else 1] * count
            assert not read(json.dumps({"token_ids": [1], key: value}), budget=budget).problems
            loaded = read(json.dumps({"token_ids": [1], key: [*value, value[0]]}), budget=budget)
            assert loaded.transcripts[0].ids == (1,)
            assert loaded.transcripts[0].tools == ()
            assert loaded.transcripts[0].prompt_ids is None
            assert loaded.problems[0].sentence.endswith(f"{end}; the field was left out")

    @given(
        st.recursive(st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s), max_leaves=20)
    )
    def test_the_values_are_what_counting_gives(self, value: Any) -> None:
        def counted(each: Any) -> int:
            inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
            return 1 + sum(map(counted, inner))

        count = counted(value)
        assert values_in(value, count) == count
        assert values_in(value, 3) == count or min(count, values_in(value, 3)) > 3

    def test_a_gallery_keeps_no_more_than_the_app(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert GALLERY.notes == APP.notes
        monkeypatch.setattr(sys.modules["inspector.gallery.bundle"], "GALLERY", replace(GALLERY, notes=9))
        found = read_gallery(self.record('"meta": {"x": [%s]}', 20).encode(), "a.jsonl")
        assert found.samples[0].transcript.meta == {}
        assert '("meta" and unknown fields) has more than 9 values' in found.problems[0]


class TestTogether:
    """What all transcripts of one input have, which a session holds."""

    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"prompt_token_ids": [1, 2]},
            {"logprobs": [-1, None]},
            {"top": [[[5, -1]], [[6, -2]]]},
            {"tools": ["a", "b"]},
            {"meta": {"a": 1}},
        ],
        ids=lambda more: next(iter(more), "tokens"),
    )
    def test_records(self, more: dict[str, Any]) -> None:
        record = {"token_ids": [7, 8], **more}
        budget = replace(SMALL, values=999, records=99, together=3 * (4 if more else 2))
        within = read("\n".join([json.dumps(record)] * 3), budget=budget)
        assert (len(within.transcripts), within.problems) == (3, ())
        beyond = read("\n".join([json.dumps(record)] * 9), budget=budget)
        assert len(beyond.transcripts) == 3
        (problem,) = beyond.problems
        assert problem.lost
        assert problem.sentence == (
            f"the first 3 records were read: the test reads {budget.together} tokens of an input, probabilities, "
            "alternatives and values of meta counted as such; cut it"
        )

    def test_rows_of_ids(self) -> None:
        budget = replace(SMALL, records=99)
        assert len(read(json.dumps([[1, 2, 3, 4]] * 3), budget=budget).transcripts) == 3
        cut = read(json.dumps([[1, 2, 3, 4]] * 4), budget=budget)
        assert len(cut.transcripts) == 3
        assert cut.problems[0].sentence.startswith("the first 3 records were read: the test reads 12 tokens")

    def test_the_first_is_read_whatever_it_has(self) -> None:
        record = {"token_ids": [1], "top": [[[5, -1]] * 50]}
        loaded = read("\n".join([json.dumps(record)] * 2), budget=replace(SMALL, values=999))
        assert len(loaded.transcripts) == 1
        assert loaded.problems[0].sentence.startswith("the first record was read: the test reads 12 tokens")

    def test_samples_of_a_gallery(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys.modules["inspector.gallery.bundle"], "GALLERY", replace(GALLERY, together=12))
        line = b'{"token_ids": [1, 2, 3, 4]}\n'
        assert read_gallery(line * 3, "a.jsonl").problems == ()
        found = read_gallery(line * 4, "a.jsonl")
        assert len(found.samples) == 3
        assert found.problems == (
            "a.jsonl: only the first 3 samples are read because a gallery has at most 12 tokens, probabilities and "
            "values of meta together, split the gallery.",
        )

    def test_the_app_holds_several_of_its_longest_transcripts(self) -> None:
        assert APP.together >= 8 * APP.tokens


class TestNesting:
    @pytest.mark.parametrize("brackets", ["[]", "{}"])
    def test_json(self, brackets: str) -> None:
        def nested(depth: int) -> str:
            if brackets == "[]":
                return "[" * depth + "]" * depth
            return '{"a":' * depth + "1" + "}" * depth

        value = parse_json(nested(MAX_DEPTH))
        assert json.loads(json.dumps(value, indent=1)) == value
        with pytest.raises(ValueError, match=f"^the JSON is nested too deeply: more than {MAX_DEPTH} levels"):
            parse_json(nested(MAX_DEPTH + 1))

    @pytest.mark.parametrize("shape", ["%s", "[\n%s\n]", "{}\n%s", '[\n{"token_ids":[1]},\n%s,\n{"token_ids":[2]}\n]'])
    @pytest.mark.parametrize("depth", [MAX_DEPTH, 900, 5_000, 100_000])
    @pytest.mark.parametrize("closed", [True, False])
    def test_records_at_any_depth_raise_nothing(self, shape: str, depth: int, closed: bool) -> None:
        text = shape % ('{"token_ids":[3],"a":' + "[" * depth + "]" * depth * closed + "}")
        for found in (read(text), read(text, format="records"), *iter_records(io.StringIO(text))):
            assert found is not None
        sentences = [p.sentence for p in read(text, format="records").problems]
        assert any("nested too deeply" in each or "not valid JSON" in each for each in sentences)
        try:
            found = read_gallery(text.encode(), "a.json")
        except SampleError:
            return
        assert found.problems

    def test_what_stands_around_a_nested_record_is_kept(self) -> None:
        deep = '{"a":' * 3000 + "1" + "}" * 3000
        lines = ",\n".join(['{"token_ids":[1]}', deep, '{"token_ids":[2]}'])
        assert [t.ids for t in read(f"[\n{lines}\n]").transcripts] == [(1,), (2,)]

    @given(st.text('[]{}",\\ a', max_size=60))
    def test_the_depth_is_what_counting_gives(self, text: str) -> None:
        depth = deepest = 0
        quoted = escaped = False
        for character in text:
            if quoted:
                quoted = escaped or character != '"'
                escaped = character == "\\" and not escaped
            elif character == '"':
                quoted = True
            else:
                depth += (character in "[{") - (character in "]}")
                deepest = max(deepest, depth)
        padded = "[]" * 300 + text
        assert json_depth(padded) == max(deepest, 1)

    def test_toml(self) -> None:
        assert toml_refusal("a = " + "[" * MAX_DEPTH + "]" * MAX_DEPTH) is None
        text = "a = " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)
        with pytest.raises(
            SampleError, match=r"a\.toml: not read as TOML: it is nested too deeply: more than 200 levels"
        ):
            read_gallery(text.encode(), "a.toml")


class TestToml:
    @pytest.mark.parametrize("name", ["a", "long-name_7", '"a"', "'a.b'", '"\\"."'])
    @pytest.mark.parametrize("dot", [".", " . ", "\t."])
    @pytest.mark.parametrize(
        "shape", ["{} = 1", "[{}]", "[[{}]]", "x = {{ {} = 1 }}", 'x = """ " """\n{} = 1', "# '\n{} = 1"]
    )
    def test_dots(self, name: str, dot: str, shape: str) -> None:
        assert toml_refusal(shape.format(dot.join([name] * MAX_DOTS))) is None
        refused = toml_refusal(shape.format(dot.join([name] * (MAX_DOTS + 1))))
        assert refused == "a key has more than 16 names; expected one or two"

    def test_dots_in_texts_are_none(self) -> None:
        dots = "a" + ".a" * 50
        for text in (
            f'x = "{dots}"',
            f"x = '{dots}'",
            f'x = """{dots}"""',
            f"x = '''\n{dots}'''",
            f"# {dots}",
            f'"{dots}" = 1',
        ):
            assert toml_refusal(text) is None, text

    def test_a_key_of_many_dots_costs_nothing(self) -> None:
        with pytest.raises(SampleError, match=r"a\.toml: not read as TOML: a key has more than 16 names"):
            read_gallery(b"a" + b".a" * 2_000_000 + b"=1", "a.toml")

    def test_characters(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budgets, "MAX_TOML", 20)
        assert toml_refusal("x" * 20) is None
        assert toml_refusal("x" * 21) == "it has 21 characters; at most 20 are read, write it as JSON lines"


class TestArchives:
    def test_streams_of_a_gzip_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(unpacking_module, "MAX_STREAMS", 3)
        one = gzip.compress(b"1 2 3 ")
        assert read(one * 3).transcripts[0].ids == (1, 2, 3) * 3
        assert read(one * 3 + b"\0" * 100).transcripts[0].ids == (1, 2, 3) * 3
        assert "put together from more than 3 gzip streams; pack it as one" in sentence(one * 4, CLI)

    def test_files_of_a_zip(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(unpacking_module, "MAX_MEMBERS", 3)
        assert len(read(zipped(3)).transcripts) == 3
        assert "has 4 files; at most 3 are read" in sentence(zipped(4), CLI)

    def test_damaged_files_of_a_zip_count_for_what_they_unpack_to(self) -> None:
        data = bytearray(zipped(50, b" " * 100_000))
        at = -1
        while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
            data[at + 16] ^= 1  # the checksum in the list of files
        loaded = read(bytes(data), budget=replace(CLI, unpacked=2**20))
        assert "unpacks to more than 1 MB" in loaded.problems[-1].sentence

    def test_json_of_a_zip(self) -> None:
        with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
            archive.writestr("a.json", "[" * 5000 + "]" * 5000)
        assert "is not valid JSON" in sentence(packed.getvalue(), CLI)


def zipped(count: int, body: bytes = b'{"token_ids":[1]}') -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            archive.writestr(f"{number}.jsonl", body)
    return file.getvalue()


class TestProblems:
    def test_many_bad_lines_are_a_few_and_a_count(self) -> None:
        def made(bad: int) -> str:
            return '{"token_ids": [1]}\n' + "{x\n" * bad

        for bad in (MAX_LISTED, MAX_LISTED + 1):
            problems = read(made(bad)).problems
            assert [p.line for p in problems] == list(range(2, bad + 2))
            assert all("not valid JSON" in p.sentence for p in problems)
        *listed, last = read(made(60_000)).problems
        assert len(listed) == MAX_LISTED
        assert last.sentence == "and 59,990 more records could not be read, from line 12 on"
        assert (last.line, last.lost) == (12, True)

    def test_fields_that_were_left_out_are_counted_apart(self) -> None:
        good, odd = '{"token_ids": [1]}', '{"token_ids": [1], "origins": 5, "top": 5}'
        problems = read("\n".join([good, *[odd] * 50, "{x"])).problems
        assert [p.lost for p in problems].count(True) == 1
        assert problems[-1].sentence == "and 90 more fields left out, from line 7 on"
        assert not problems[-1].lost

    def test_a_gallery_counts_too(self) -> None:
        found = read_gallery(b'{"token_ids": [1]}\n' + b"{x\n" * 500, "a.jsonl")
        assert (len(found.problems), found.more_problems) == (MAX_LISTED, 500 - MAX_LISTED)
        with pytest.raises(SampleError, match="There are 499 more like this"):
            read_gallery(b"{x\n" * 500, "a.jsonl")

    def test_a_gallery_has_as_many_values_as_the_app(self, monkeypatch: pytest.MonkeyPatch) -> None:
        text = b'[\n{"token_ids": [1]},\n{"token_ids": [2]}\n]'
        assert GALLERY.values == APP.values
        monkeypatch.setattr(sys.modules["inspector.gallery.bundle"], "GALLERY", replace(GALLERY, values=9))
        assert len(read_gallery(text, "a.json").samples) == 2
        monkeypatch.setattr(sys.modules["inspector.gallery.bundle"], "GALLERY", replace(GALLERY, values=8))
        with pytest.raises(SampleError, match="JSON of 9 values is more than a gallery reads"):
            read_gallery(text, "a.json")
