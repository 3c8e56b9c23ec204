"""Reading samples: every one that ships, and every way in which a file can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspector.gallery import FAMILIES, SampleError, load_sample, load_samples, read_sample, samples_folder
from inspector.harmony.message import Message
from inspector.tokens import CALL, vocabulary

GOOD = """\
title = "A title"
story = \"\"\"\\
  Two lines \\
  of story.\"\"\"
tools = ["functions.bash"]
transcript = [
  "<|channel|>commentary to=functions.bash", 162, { plain = "<|call|>" },
  "<|message|>{}<|call|>",
]
rules = ["HS101"]

[server]
finish_reason = "stop"
stop_reason = 200012

[[expected]]
channel = "commentary"
content = "{}"
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str, family: str = "healthy", name: str = "some-name") -> Path:
        path = tmp_path / family / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_every_sample_that_ships_loads() -> None:
    samples = load_samples()
    assert len(samples) >= 70
    assert len({s.name for s in samples}) == len(samples)
    for sample in samples:
        assert sample.transcript.ids
        assert sample.story.count(".") >= 2, f"{sample.name}: two or three sentences"
        assert sample.transcript.source == f"sample {sample.name}"


def test_every_family_has_a_sample_and_they_come_in_its_order() -> None:
    families = [s.family for s in load_samples()]
    assert list(dict.fromkeys(families)) == list(FAMILIES)


def test_a_sample_is_found_by_name() -> None:
    for sample in load_samples():
        assert load_sample(sample.name) == sample


def test_the_pieces_of_a_transcript_are_text_ids_and_plain_text(write) -> None:
    sample = read_sample(write(GOOD))
    vocab = vocabulary()
    assert list(sample.transcript.ids) == [
        *vocab.encode_markers("<|channel|>commentary to=functions.bash"),
        162,
        *vocab.encode("<|call|>"),
        *vocab.encode_markers("<|message|>{}<|call|>"),
    ]
    assert sample.transcript.ids.count(CALL) == 1
    assert sample.story == "Two lines of story."
    assert sample.rules == ("HS101",)
    assert sample.tools == ("functions.bash",)
    assert sample.expected == (Message("assistant", "{}", channel="commentary"),)
    assert (sample.transcript.role, sample.transcript.finish_reason, sample.transcript.stop_reason) == (
        "assistant",
        "stop",
        CALL,
    )
    assert sample.transcript.reported == {"finish_reason", "stop_reason"}


def test_neighbouring_texts_are_encoded_together(write) -> None:
    whole = read_sample(write(GOOD.replace('"<|message|>{}<|call|>"', '"<|message|>{", "}<|call|>"')))
    assert whole.transcript.ids == read_sample(write(GOOD)).transcript.ids


def test_none_as_role_is_a_whole_conversation(write) -> None:
    assert read_sample(write('role = "none"\n' + GOOD)).transcript.role is None


def test_a_reported_null_is_stated(write) -> None:
    text = GOOD.replace("stop_reason = 200012", 'stated = ["finish_reason", "stop_reason"]')
    transcript = read_sample(write(text)).transcript
    assert transcript.stop_reason is None
    assert transcript.reported == {"finish_reason", "stop_reason"}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('title = "A title"\n', "", r"toml:1: `title` is missing: expected a text\."),
        ('title = "A title"', "title = 3", r"toml:1: `title` is missing"),
        ("title =", "titel =", r"toml:1: `titel` is not known here; expected one of drift, errors, expected"),
        ("transcript = [", "transcript = [true,", r"toml:6: `transcript` holds True; expected a text"),
        ("plain", "text", r"toml:6: `transcript` holds \{'text': .*expected a text, a token id or"),
        ('tools = ["functions.bash"]', 'tools = "bash"', r"toml:5: `tools` must be a list of texts"),
        ('tools = ["', 'role = "robot"\ntools = ["', r"toml:5: `role` must be one of user, assistant"),
        ('tools = ["', 'founding = -1\ntools = ["', r"toml:5: `founding` must be a count"),
        ("[server]", "[servers]", r"toml:12: `servers` is not known here"),
        ("stop_reason", "stopped", r"toml:14: `stopped` is not known here; expected one of finish_reason"),
        ('content = "{}"', "", r"toml:16: `expected` needs a `content` in every message"),
        ('content = "{}"', 'content = "{}"\nto = "x"', r"toml:19: `to` is not known here"),
        (
            "[[expected]]",
            "[[errors]]",
            r"toml:16: `errors` must be a table of error texts|`expected` is missing",
        ),
        ('title = "A title"', 'title = "A', r"not valid TOML: .*line 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(write, before, after, says) -> None:
    assert before in GOOD
    path = write(GOOD.replace(before, after, 1))
    with pytest.raises(SampleError, match=says) as caught:
        read_sample(path)
    assert str(caught.value).startswith(str(path))


def test_bytes_that_are_no_text_are_refused(write) -> None:
    path = write(GOOD)
    path.write_bytes(b"title = '\xe6'")
    with pytest.raises(SampleError, match="cannot be read"):
        read_sample(path)


def test_unknown_families_and_odd_names_are_refused(write) -> None:
    with pytest.raises(SampleError, match="'nonsense' is no family"):
        read_sample(write(GOOD, family="nonsense"))
    with pytest.raises(SampleError, match="lower-case words joined by hyphens"):
        read_sample(write(GOOD, name="Some_Name"))


def test_a_name_used_twice_is_refused(write, tmp_path) -> None:
    write(GOOD, family="healthy")
    write(GOOD, family="empty")
    with pytest.raises(SampleError, match="the name 'some-name' is taken by"):
        load_samples(tmp_path)


@pytest.mark.parametrize("name", ["../founding/aborted-as", "founding/aborted-as", "*", "", "a" * 500, "x\x00y", "Ü"])
def test_a_name_from_an_address_bar_never_becomes_a_path(name) -> None:
    with pytest.raises(SampleError, match="There is no sample called"):
        load_sample(name)


def test_a_misspelt_name_gets_a_proposal() -> None:
    with pytest.raises(SampleError, match=r"did you mean .*recipient-twice"):
        load_sample("recipient-twise")


def test_the_folder_is_the_checkouts(root) -> None:
    assert samples_folder() == root / "samples"
