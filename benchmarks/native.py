"""The published releases, loaded into this process: the benchmark times their parse and nothing around it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from openai_harmony import HarmonyEncodingName, load_harmony_encoding

from inspector.releases import available
from inspector.releases.serve import Library
from inspector.tokens import vocabulary_file


def native_parsers() -> dict[str, Callable[[list[int]], Any]]:
    """By release, its strict parse of a whole conversation; it raises where the release does."""
    # Where openai-harmony 0.0.8 looks for the vocabulary instead of downloading it.
    os.environ["TIKTOKEN_ENCODINGS_BASE"] = str(vocabulary_file().parent)
    parsers: dict[str, Callable[[list[int]], Any]] = {}
    for release in available():
        # A compiled module can be loaded once per process: the environment's is imported by its own name.
        if release.found == "environment":
            encoding = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)
        else:
            encoding = Library(release.title, str(release.location)).encoding
        parse = encoding.parse_messages_from_completion_tokens
        parsers[release.title] = lambda ids, parse=parse: parse(ids, None, strict=True)
    return parsers
