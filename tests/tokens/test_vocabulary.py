"""The vocabulary against the tables of tiktoken and oss-harmony, and its behaviour where they fail."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from inspector.tokens import (
    CALL,
    CHANNEL,
    FIRST_SPECIAL,
    STOPS,
    VOCABULARY_SIZE,
    Vocabulary,
    VocabularyError,
    is_special,
    special_text,
    vocabulary,
    vocabulary_file,
)
from inspector.tokens.vocabulary import SHA256

ENDOFPROMPT = 200018  # tiktoken's name for what Harmony calls <|reserved_200018|>
LAST_RESERVED = 201088  # Harmony has it, tiktoken does not


@pytest.fixture(scope="module")
def vocab() -> Vocabulary:
    return vocabulary()


@cache
def oss_harmony():
    from openai_harmony import HarmonyEncodingName, load_harmony_encoding

    return load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)


@pytest.fixture(scope="module")
def harmony():
    return oss_harmony()


def test_the_file_is_the_published_one(vocab) -> None:
    assert hashlib.sha256(vocab.path.read_bytes()).hexdigest() == SHA256
    assert vocab.path.name == "o200k_base.tiktoken"


def test_every_id_reads_as_in_oss_harmony(vocab, harmony) -> None:
    decode = harmony._inner.decode_bytes
    assert [i for i in range(VOCABULARY_SIZE) if vocab.token_bytes(i) != bytes(decode([i]))] == []
    with pytest.raises(Exception, match="Invalid token"):
        decode([VOCABULARY_SIZE])


@pytest.fixture
def published(vocab, monkeypatch) -> tiktoken.Encoding:
    """tiktoken's own o200k_harmony, loaded offline from the file that we wrote for it."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(vocab.path.parent / "tiktoken"))
    return tiktoken.get_encoding("o200k_harmony")


def test_every_id_reads_as_in_tiktoken_but_for_the_two_known_differences(vocab, published) -> None:
    different = []
    for token in range(VOCABULARY_SIZE):
        try:
            theirs = published.decode_single_token_bytes(token)
        except KeyError:
            theirs = None
        if vocab.token_bytes(token) != theirs:
            different.append((token, theirs))
    assert different == [(ENDOFPROMPT, b"<|endofprompt|>"), (LAST_RESERVED, None)]
    assert vocab.token_bytes(ENDOFPROMPT) == b"<|reserved_200018|>"
    assert vocab.token_bytes(LAST_RESERVED) == b"<|reserved_201088|>"


def test_single_bytes_are_ranked_first(vocab) -> None:
    assert {vocab.token_bytes(i) for i in range(256)} == {bytes([b]) for b in range(256)}


def test_no_token_is_empty_and_no_two_are_equal(vocab) -> None:
    table = [vocab.token_bytes(i) for i in range(VOCABULARY_SIZE)]
    assert all(table)
    assert len(set(table)) == VOCABULARY_SIZE


def test_stops_are_those_of_the_library(harmony) -> None:
    assert set(harmony.stop_tokens()) == STOPS


@pytest.mark.parametrize("token", [-1, VOCABULARY_SIZE, 2**32, 2**64, -(2**64)])
def test_unknown_ids_have_no_bytes(vocab, token) -> None:
    assert vocab.token_bytes(token) is None
    assert vocab.decode_bytes([65, token, 66]) == vocab.decode_bytes([65, 66])
    assert vocab.decode_bytes(iter([65, token, 66])) == vocab.decode_bytes([65, 66])


@given(st.lists(st.integers(-3, VOCABULARY_SIZE + 3), max_size=30))
def test_decoding_joins_what_is_known(ids) -> None:
    vocab = vocabulary()
    assert vocab.decode_bytes(ids) == b"".join(filter(None, map(vocab.token_bytes, ids)))


TEXT = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(["<|", "|>", "<|end|>", "<|channel|>", "<|reserved_200018|>", "<|refusal|>", " ", "é", "x"]),
        max_size=12,
    ).map("".join),
)


@given(TEXT)
def test_encoding_is_tiktokens_and_never_gives_a_special(text) -> None:
    vocab = vocabulary()
    ids = vocab.encode(text)
    assert ids == vocab._encoding.encode_ordinary(text)
    assert not any(map(is_special, ids))


@given(st.text(max_size=60))
def test_encoding_is_oss_harmonys(text) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert vocabulary().encode(text) == oss_harmony().encode(text, disallowed_special=())


@given(TEXT)
def test_markers_in_text_become_the_ids_that_oss_harmony_gives(text) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert vocabulary().encode_markers(text) == oss_harmony().encode(text, allowed_special="all")


def test_every_special_is_written_and_read(vocab) -> None:
    everything = range(FIRST_SPECIAL, VOCABULARY_SIZE)
    text = "".join(map(special_text, everything))
    assert vocab.encode_markers(text) == list(everything)
    assert vocab.decode(everything) == text


def test_names_outside_harmonys_table_stay_text(vocab) -> None:
    for text in (
        "<|endofprompt|>",
        "<|refusal|>",
        "<|untrusted|>",
        "<|end_untrusted|>",
        "<|reserved_999999|>",
    ):
        assert vocab.encode_markers(text) == vocab.encode(text)
    assert vocab.encode_markers("<|channel|>final") == [CHANNEL, *vocab.encode("final")]


# tiktoken 0.14 panics at 1,000,000 spaces (a BaseException that no `except Exception` catches).
@pytest.mark.parametrize("unit", [" ", "\n", "\n ", "\t", "\u00a0", "a", "7", "!", "/", "日", "😀", "\u0301", "\0"])
def test_a_million_of_one_kind_neither_panics_nor_hangs(vocab, unit) -> None:
    text = unit * (1_000_001 // len(unit))
    assert vocab.decode(vocab.encode(text)) == text
    assert vocab.decode(vocab.encode_markers(text + "<|call|>")) == text + "<|call|>"


def test_long_text_without_long_runs_is_encoded_as_tiktoken_does(vocab) -> None:
    text = "So the second migration has to wait.\n\n    indexes = table.indexes()\n" * 2_000
    assert len(text) > 100_000
    assert vocab.encode(text) == vocab._encoding.encode_ordinary(text)


def test_lone_surrogates_become_the_replacement_character(vocab) -> None:
    assert vocab.decode(vocab.encode("a\ud800b")) == "a\ufffdb"
    assert vocab.decode(vocab.encode("a\udce6" * 30_000)) == "a\ufffd" * 30_000


def test_bytes_that_are_no_text_are_shown_as_such(vocab) -> None:
    assert vocab.decode([162, CALL]) == "\ufffd<|call|>"


_LOAD = """
from inspector.tokens import vocabulary
vocab = vocabulary()
print(vocab.path)
print(vocab.encode_markers("<|channel|>final<|message|>ja"), vocab.decode([200006, 173781]))
"""


@pytest.fixture
def cold_start(offline_env, root):
    def run(code: str = _LOAD) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code],
            env=offline_env,
            cwd=root,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def test_the_first_run_of_all_needs_no_network(cold_start, offline_env) -> None:
    ran = cold_start()
    assert ran.returncode == 0, ran.stderr
    path, ids = ran.stdout.splitlines()
    assert Path(path).is_relative_to(offline_env["HARMONYLENS_CACHE"])
    assert ids == "[200005, 17196, 200008, 2067] <|start|>assistant"
    assert sorted(p.name for p in Path(path).parent.rglob("*") if p.is_file()) == [
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "o200k_base.tiktoken",
    ]


def test_the_poisoned_network_is_really_out_of_reach(cold_start) -> None:
    for code in (
        "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)",
        "import socket; socket.socket().connect(('192.0.2.1', 80))",
        "import urllib.request; urllib.request.urlopen('https://192.0.2.1/', timeout=5)",
    ):
        ran = cold_start(code)
        assert ran.returncode == 1
        assert "in a test that forbids it" in ran.stderr or "Connection refused" in ran.stderr


def test_damaged_files_in_the_cache_are_replaced(cold_start, offline_env) -> None:
    assert cold_start().returncode == 0
    for path in Path(offline_env["HARMONYLENS_CACHE"], "vocabulary").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            path.write_bytes(data[:-2] + b"9\n")  # same length, other content
    ran = cold_start()
    assert ran.returncode == 0, ran.stderr
    for path in Path(offline_env["HARMONYLENS_CACHE"], "vocabulary").rglob("*"):
        if path.is_file():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256


def test_a_foreign_table_is_refused_in_one_sentence(monkeypatch, tmp_path) -> None:
    module = sys.modules[Vocabulary.__module__]
    monkeypatch.setenv("HARMONYLENS_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "_RANKED", 1000)
    with pytest.raises(VocabularyError, match=r"its sha256 differs.*install oss-harmony"):
        vocabulary_file()
    assert list(tmp_path.rglob("*.tiktoken")) == []


def test_without_oss_harmony_the_remedy_is_named(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HARMONYLENS_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "openai_harmony", None)
    with pytest.raises(VocabularyError, match="pip install 'oss-harmony"):
        vocabulary_file()


def test_the_pattern_is_the_published_one(vocab, published) -> None:
    assert vocab._encoding._pat_str == published._pat_str
