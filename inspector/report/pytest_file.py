"""A test file that reproduces what strict parsers make of a transcript, with ``openai_harmony`` and pytest alone.

It passes while the releases do what they did: raise this error at this token, or return these messages. Whoever mends
the parser sees it fail. Releases that were not asked are held to what the newest one does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .. import __version__
from ..harmony.message import Message, MessageRecord
from ..harmony.verdict import Verdict
from ..inspection import NEWEST
from .subject import Subject
from .visible import visible

_WIDTH: Final = 108
_ENCODABLE: Final = 2**32

_HEAD: Final = """\
from importlib import metadata
from pathlib import Path

import openai_harmony
import pytest
from openai_harmony import HarmonyEncodingName, HarmonyError, Role, StreamableParser, load_harmony_encoding

"""

_BODY: Final = '''

def release():
    """The release that is tested: two distributions hold the module openai_harmony."""
    module = Path(openai_harmony.__file__).resolve()
    here = {}
    for distribution in metadata.distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        if name in ("openai-harmony", "oss-harmony"):
            place = Path(distribution.locate_file("openai_harmony/__init__.py")).resolve()
            here.setdefault(place == module, f"{name} {distribution.version}")
    return here.get(True) or here.get(False) or "openai_harmony"


RELEASE = release()
SAID = WANTED.get(RELEASE, WANTED[NEWEST])


@pytest.fixture(scope="module")
def encoding():
    return load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)


def fields(message):
    return {
        "role": message.author.role.value,
        "name": message.author.name,
        "channel": message.channel,
        "recipient": message.recipient,
        "content_type": message.content_type,
        "content": "".join(part.text for part in message.content),
    }

'''

_OVERFLOW: Final = """
def test_ids_that_are_no_tokens_are_refused(encoding):
    with pytest.raises(OverflowError):
        encoding.parse_messages_from_completion_tokens(IDS, ROLE)
"""

_RAISES: Final = """
@pytest.mark.skipif("error" not in SAID, reason=f"{RELEASE} accepts these tokens")
def test_strict_parsing_raises(encoding):
    with pytest.raises(HarmonyError) as raised:
        encoding.parse_messages_from_completion_tokens(IDS, ROLE)
    assert str(raised.value) == SAID["error"]


@pytest.mark.skipif("error" not in SAID, reason=f"{RELEASE} accepts these tokens")
def test_the_stream_breaks_at_this_token(encoding):
    parser = StreamableParser(encoding, ROLE)
    for token in IDS[: SAID["token"]]:
        parser.process(token)
    with pytest.raises(HarmonyError) as raised:
        if SAID["token"] < len(IDS):
            parser.process(IDS[SAID["token"]])
        else:
            parser.process_eos()
    assert str(raised.value) == SAID["error"]
"""

_ACCEPTS: Final = """
@pytest.mark.skipif("messages" not in SAID, reason=f"{RELEASE} raises on these tokens")
def test_strict_parsing_returns_these_messages(encoding):
    found = encoding.parse_messages_from_completion_tokens(IDS, ROLE)
    assert [fields(message) for message in found] == SAID["messages"]
"""


def export_pytest(subject: Subject) -> bytes:
    """The file, ASCII: whatever the transcript holds stands in it as escaped literals."""
    return "".join(_parts(subject)).encode("ascii", "backslashreplace")


def reproduces(subject: Subject) -> bool:
    """Whether some release raises, or reads something else than was meant: whether there is anything to reproduce."""
    meant = [message.record() for message in subject.inspection.repair.messages]
    return any(
        not verdict.ok or [message.record() for message in verdict.messages] != meant for verdict in _strict(subject)
    )


def _parts(subject: Subject) -> Iterator[str]:
    transcript = subject.transcript
    yield f'"""{_docstring(subject)}"""\n\n'
    yield _HEAD
    yield "# What the model emitted.\n"
    yield from _ids(transcript.ids)
    role = "None" if transcript.role is None else f"Role({literal(transcript.role)})"
    yield (
        "\n# The role that the tokens continue; None for a whole conversation.\n" if transcript.role is None
        else "\n# The role that the tokens continue: the prompt ended in its header.\n"
    )  # fmt: skip
    yield f"ROLE = {role}\n"
    if not all(0 <= token < _ENCODABLE for token in transcript.ids):
        yield '\n\n@pytest.fixture(scope="module")\ndef encoding():\n'
        yield "    return load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)\n\n"
        yield _OVERFLOW
        return
    verdicts = _strict(subject)
    yield "\n# What each release does with them in strict mode.\nWANTED = {\n"
    meant = [message.record() for message in subject.inspection.repair.messages]
    for verdict in verdicts:
        yield from _verdict(verdict, meant)
    yield "}\n"
    named = [verdict.release for verdict in verdicts]
    yield f"NEWEST = {literal(NEWEST if NEWEST in named else named[0])}\n"
    yield _BODY
    if any(not verdict.ok for verdict in verdicts):
        yield _RAISES
    if any(verdict.ok for verdict in verdicts):
        yield ("\n" if any(not verdict.ok for verdict in verdicts) else "") + _ACCEPTS


def _strict(subject: Subject) -> list[Verdict]:
    return [verdict for verdict in subject.inspection.strict if verdict.mode == "strict"]


def _docstring(subject: Subject) -> str:
    """The file's first words. Only printable ASCII, and nothing that ends or escapes a string."""
    words = visible(subject.title).encode("ascii", "replace").decode().replace("\\", "/").replace('"', "'")
    return (
        f"{words}\n\nWritten by harmonylens {__version__}. It needs pytest and openai_harmony (openai-harmony or "
        "oss-harmony), nothing else:\nthe library fetches its vocabulary once, or takes it from the folder that "
        "TIKTOKEN_ENCODINGS_BASE names.\n"
    )


def _ids(ids: Sequence[int]) -> Iterator[str]:
    yield "IDS = [\n"
    line = "   "
    for token in ids:
        piece = f" {token},"
        if len(line) + len(piece) > _WIDTH:
            yield f"{line}\n"
            line = "   "
        line += piece
    yield f"{line}\n]\n" if line.strip() else "]\n"


def _verdict(verdict: Verdict, meant: Sequence[MessageRecord]) -> Iterator[str]:
    if verdict.ok and [message.record() for message in verdict.messages] != meant:
        yield "    # No error, but not what was meant.\n"
    yield f"    {literal(verdict.release)}: {{\n"
    if verdict.error is not None:
        yield f'        "error": {literal(verdict.error.text)},\n        "token": {verdict.error.token},\n'
    else:
        yield '        "messages": [\n'
        for message in verdict.messages:
            yield from _message(message)
        yield "        ],\n"
    yield "    },\n"


def _message(message: Message) -> Iterator[str]:
    yield "            {\n"
    for name, value in message.record().items():
        yield f'                "{name}": {"None" if value is None else literal(str(value))},\n'
    yield "            },\n"


def literal(text: str) -> str:
    """``text`` as a Python string literal in ASCII, in double quotes where that needs no more escapes."""
    literal = ascii(text)
    return literal if literal[0] == '"' or '"' in literal or "\\'" in literal else f'"{literal[1:-1]}"'


def ids_literal(ids: Sequence[int]) -> str:
    """``IDS = [...]`` over as many lines as it takes."""
    return "".join(_ids(ids))
