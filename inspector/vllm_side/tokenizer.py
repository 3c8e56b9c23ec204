"""The tokenizer of gpt-oss as files that vLLM loads, made without a network from the vocabulary at hand.

A byte-pair tokenizer needs the pairs in the order in which they are joined. The published vocabulary has ranks only,
but they hold the pairs: a token may be made of any two tokens that spell it, and the one of lowest rank is made first.

Run in vLLM's Python; takes some 10 seconds and writes 28 MB.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ..tokens import FIRST_SPECIAL, MARKERS, Vocabulary, special_text, vocabulary
from ..tokens.vocabulary import _PATTERN

ROWS: Final = 201_088
"""The vocabulary of gpt-oss as its config.json has it: Harmony's table has one reserved token more."""

_SEED: Final = 200_012
_TRIED: Final = 400
"""Random texts that the tokenizer is compared on, beside the fixed ones."""


class TokenizerDiffers(RuntimeError):
    """The tokenizer that was made does not give the ids that Harmony's own encoder gives; the message says where."""


def write_tokenizer(folder: Path, *, longest: int = 4096) -> None:
    """Write ``tokenizer.json`` and ``tokenizer_config.json``, compared with Harmony's own encoder before.

    Args:
        folder: made when it is not there.
        longest: the tokens that the model takes at most, noted in the configuration.

    Raises:
        TokenizerDiffers: it does not agree with the encoder of the installed ``openai_harmony``.
        ImportError: transformers or tokenizers are not in this Python.
    """
    from transformers import PreTrainedTokenizerFast

    made = PreTrainedTokenizerFast(
        tokenizer_object=byte_pair_tokenizer(vocabulary()),
        bos_token="<|startoftext|>",
        eos_token="<|return|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
        model_max_length=longest,
    )
    compare(made)
    folder.mkdir(parents=True, exist_ok=True)
    made.save_pretrained(str(folder))


def byte_pair_tokenizer(source: Vocabulary) -> Any:
    """A ``tokenizers.Tokenizer`` with this vocabulary; text that spells a special token becomes that token."""
    # By name: type checkers run in the app's environment, which has no tokenizers.
    tokenizers: Any = import_module("tokenizers")
    ranks = {source.join((token,)): token for token in range(FIRST_SPECIAL)}
    spelt = _byte_letters()
    names = {raw: "".join(map(spelt.__getitem__, raw)) for raw in ranks}
    pairs = [(names[left], names[right]) for left, right in _pairs(ranks)]
    # As tiktoken does: what is a token as a whole is that token, however its pairs would be joined.
    model = tokenizers.models.BPE({names[raw]: token for raw, token in ranks.items()}, pairs, ignore_merges=True)
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [
            tokenizers.pre_tokenizers.Split(tokenizers.Regex(_PATTERN), "isolated"),
            tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    special = [special_text(token) for token in range(FIRST_SPECIAL, ROWS)]
    tokenizer.add_special_tokens([tokenizers.AddedToken(text, normalized=False, special=True) for text in special])
    return tokenizer


def compare(tokenizer: Any) -> None:
    """Encode and decode varied texts with a tokenizer of transformers and with Harmony's encoder.

    Raises:
        TokenizerDiffers: at the first difference.
    """
    from openai_harmony import HarmonyEncodingName, load_harmony_encoding

    harmony = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)
    for text in (*_TEXTS, *_random_texts()):
        expected = harmony.encode(text, allowed_special="all")
        found = tokenizer.encode(text, add_special_tokens=False)
        if found != expected:
            raise TokenizerDiffers(f"The tokenizer gives {found[:20]} for {text[:60]!r}, Harmony {expected[:20]}.")
        decoded = tokenizer.decode(found)
        if decoded != text:
            raise TokenizerDiffers(f"The tokenizer reads {text[:60]!r} back as {decoded[:60]!r}.")
    for token in range(FIRST_SPECIAL, ROWS):
        if tokenizer.convert_tokens_to_ids(special_text(token)) != token:
            raise TokenizerDiffers(f"The tokenizer does not know {special_text(token)} as {token}.")


def _pairs(ranks: dict[bytes, int]) -> Iterator[tuple[bytes, bytes]]:
    """All pairs of tokens that spell a token, in the order in which a tokenizer joins them."""
    for whole in ranks:
        splits = ((whole[:at], whole[at:]) for at in range(1, len(whole)))
        possible = [(left, right) for left, right in splits if left in ranks and right in ranks]
        yield from sorted(possible, key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))


def _byte_letters() -> dict[int, str]:
    """The letter that stands for each byte in a byte-level vocabulary: itself where it prints, else a substitute."""
    prints = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = iter(range(256, 512))
    return {byte: chr(byte) if byte in prints else chr(next(others)) for byte in range(256)}


_TEXTS: Final = (
    "",
    "Hello world, it's 12345 o'clock\n\n  x = {'a': 1}",
    "déjà vu 你好，世界 🤖👩‍👩‍👧 Привет שלום مرحبا नमस्ते ประเทศไทย",
    "<|start|>assistant<|channel|>analysis<|message|>hi<|end|><|start|>assistant to=functions.bash<|call|>",
    "to=functions.bash # comment <|not_a_marker|> <|reserved_200014|> <|constrain|>json",
    "\t\tif x:\r\n\r\n\t\t\treturn  None   \n \n",
    "WE'LL they'Re CamelCaseWords snake_case_words SCREAMING 1e-10 0x7fff 1,234,567.89",
    "a" * 300 + " " * 200 + "\n" * 50 + "=" * 100,
    "e\u0301 \ufeff \u200b \u00a0 \u3000 \U0001f1ef\U0001f1f5 \u202eabc",
)

_PIECES: Final = (
    *"aZé字ж🙂\u0301'\"{}[]():;,.=-_/\\#<>|$%&*+~^`?!@ \n\t\r0123456789",
    *("  ", "\r\n", "'s", "'LL", " the", "ing", "return", "functions.", "json", "def ", "://", "<|", "|>", "日本語"),
    *map(special_text, MARKERS),
)


def _random_texts() -> Iterator[str]:
    draw = random.Random(_SEED)
    for _ in range(_TRIED):
        yield "".join(draw.choices(_PIECES, k=draw.randint(1, 60)))
