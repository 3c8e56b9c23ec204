"""Reading samples from files.

A sample is a TOML file, ``samples/FAMILY/NAME.toml``::

    title = "The same channel twice"
    story = "The model wrote its channel twice ..."
    tools = ["functions.bash"]
    transcript = [
      '<|channel|>analysis<|message|>First the tests.<|end|>',
      '<|start|>assistant<|channel|>analysis<|channel|>analysis<|message|>Then the docs.<|end|>',
    ]
    rules = ["HS201"]
    drift = []

    [errors]
    "openai-harmony 0.0.8" = "Unknown role: assistant<|channel|>analysis"

    [[expected]]
    channel = "analysis"
    content = "First the tests."

The pieces of ``transcript`` are joined: a string is text in which markers are spelled out, a number is a
token id (for what no text can say), ``{ plain = "<|call|>" }`` is text whose markers stay characters.
"""

from __future__ import annotations

import difflib
import re
import reprlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..budgets import is_id, toml_refusal
from ..harmony.message import ROLES, Message
from ..tokens import Transcript, vocabulary
from .families import FAMILIES
from .record import SAMPLE_NAME
from .sample import Sample, SampleError

_KEYS: Final = frozenset(
    {
        "title",
        "story",
        "tags",
        "role",
        "tools",
        "transcript",
        "rules",
        "drift",
        "founding",
        "errors",
        "server",
        "expected",
    }
)
_MESSAGE_KEYS: Final = frozenset({"role", "name", "channel", "recipient", "content_type", "content"})
_SERVER_KEYS: Final = frozenset({"finish_reason", "stop_reason", "stated"})


def samples_folder() -> Path:
    """The folder of the samples that ship: inside the package of an installed wheel, beside it in a checkout.

    Raises:
        SampleError: there is none, which only a broken installation explains.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "samples", package.parent / "samples"):
        if folder.is_dir():
            return folder
    raise SampleError(f"{package / 'samples'} does not exist: the installation lacks its samples, install it again.")


def load_samples(folder: Path | None = None) -> list[Sample]:
    """All samples, in the order of the families and by name within each.

    Raises:
        SampleError: the first file that cannot be read, a family that is unknown, a name used twice.
    """
    folder = folder or samples_folder()
    samples: list[Sample] = []
    seen: dict[str, Path] = {}
    for path in sorted(folder.glob("*/*.toml")):
        sample = read_sample(path)
        if sample.name in seen:
            raise SampleError(
                f"{path}: the name {sample.name!r} is taken by {seen[sample.name]}; rename one of the two."
            )
        seen[sample.name] = path
        samples.append(sample)
    order = list(FAMILIES)
    return sorted(samples, key=lambda s: (order.index(s.family), -s.founding, s.name))


def load_what_can_be(folder: Path | None = None) -> tuple[list[Sample], list[str]]:
    """All samples that can be read, as :func:`load_samples` orders them, and a sentence for each that cannot.

    Raises:
        SampleError: there is no folder of samples.
    """
    folder = folder or samples_folder()
    samples: dict[str, Sample] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*/*.toml")):
        try:
            sample = read_sample(path)
            samples.setdefault(sample.name, sample)
        except SampleError as error:
            problems.append(f"{error} It was left out.")
        except Exception as error:  # noqa: BLE001
            # The others are not to blame for it.
            problems.append(f"{path}: cannot be read ({type(error).__name__}: {error}); it was left out.")
    order = list(FAMILIES)
    return sorted(samples.values(), key=lambda s: (order.index(s.family), -s.founding, s.name)), problems


def load_sample(name: str, folder: Path | None = None) -> Sample:
    """The sample called ``name``.

    Raises:
        SampleError: there is none of this name; the message proposes similar ones.
    """
    folder = folder or samples_folder()
    # The name comes from an address bar: it is looked up and never becomes part of a path.
    paths = {path.stem: path for path in folder.glob("*/*.toml")}
    if name in paths:
        return read_sample(paths[name])
    names = list(paths)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "see the gallery for those that there are."
    raise SampleError(f"There is no sample called {name[:60]!r}: {hint}")


def read_sample(path: Path) -> Sample:
    """The sample in one file, ``FAMILY/NAME.toml``.

    Raises:
        SampleError: the file is missing or is no sample; the message says where and why.
    """
    name, family = path.stem, path.parent.name
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SampleError(f"{path}: cannot be read: {error}.") from error
    data = _parsed(text, str(path))
    if not SAMPLE_NAME.fullmatch(name):
        raise SampleError(f"{path}: a sample's file name must be lower-case words joined by hyphens.")
    if family not in FAMILIES:
        raise SampleError(f"{path}: {family!r} is no family; the folder must be one of {', '.join(FAMILIES)}.")
    return _Reader(str(path), text, data).sample(name, family)


def sample_from_toml(text: str, place: str, name: str, family: str) -> Sample:
    """The sample that the text of a TOML file holds; ``place`` is how messages name it.

    Raises:
        SampleError: it is no sample; the message says where and why.
    """
    return _Reader(place, text, _parsed(text, place)).sample(name, family)


def _parsed(text: str, place: str) -> dict[str, Any]:
    refused = toml_refusal(text)
    if refused:
        raise SampleError(f"{place}: not read as TOML: {refused}.")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SampleError(f"{place}: not valid TOML: {error}.") from error
    except (RecursionError, ValueError) as error:
        raise SampleError(f"{place}: not valid TOML: it is nested too deeply or holds a number too long.") from error


class _Short(reprlib.Repr):
    """Values of a file for a sentence: short, and no number of more digits than Python writes."""

    def repr_int(self, x: int, level: int) -> str:
        """A number, or that it is a huge one."""
        return repr(x) if is_id(x) else "a huge number"


_shown: Final = _Short().repr


class _Reader:
    """Checks one file's values and says where a wrong one stands."""

    def __init__(self, place: str, text: str, data: dict[str, Any]) -> None:
        self.place = place
        self.text = text
        self.data = data

    def fail(self, key: str, expected: str) -> SampleError:
        line = next(
            (n for n, row in enumerate(self.text.splitlines(), 1) if re.match(rf"\s*\[*\"?{re.escape(key)}\b", row)),
            1,
        )
        return SampleError(f"{self.place}:{line}: `{key}` {expected}.")

    def sample(self, name: str, family: str) -> Sample:
        self._only(self.data, _KEYS)
        founding = self.data.get("founding", 0)
        if not isinstance(founding, int) or isinstance(founding, bool) or founding < 0 or not is_id(founding):
            raise self.fail("founding", "must be a count")
        return Sample(
            name=name,
            title=self._text("title"),
            story=" ".join(self._text("story").split()),
            family=family,
            transcript=self._transcript(name),
            expected=self._expected(),
            rules=self._strings("rules"),
            drift=self._strings("drift"),
            errors=self._errors(),
            founding=founding,
            tags=self._strings("tags"),
        )

    def _transcript(self, name: str) -> Transcript:
        role = self.data.get("role", "assistant")
        if role not in (*ROLES, "none"):
            raise self.fail("role", f"must be one of {', '.join(ROLES)}, or none for a whole conversation")
        server = self.data.get("server", {})
        if not isinstance(server, dict):
            raise self.fail("server", "must be a table")
        self._only(server, _SERVER_KEYS)
        stated = server.get("stated", [key for key in ("finish_reason", "stop_reason") if key in server])
        if not isinstance(stated, list) or not all(isinstance(key, str) for key in stated):
            raise self.fail("stated", "must be a list of texts")
        finish, stop = server.get("finish_reason"), server.get("stop_reason")
        if not isinstance(finish, str | None):
            raise self.fail("finish_reason", "must be a text")
        if not isinstance(stop, str | int | None) or isinstance(stop, bool) or (type(stop) is int and not is_id(stop)):
            raise self.fail("stop_reason", "must be a text or a token id")
        return Transcript(
            ids=self._ids(),
            role=None if role == "none" else role,
            id=name,
            finish_reason=finish,
            stop_reason=stop,
            reported=frozenset(stated),
            tools=self._strings("tools"),
            source=f"sample {name}",
        )

    def _ids(self) -> tuple[int, ...]:
        pieces = self.data.get("transcript")
        if not isinstance(pieces, list):
            raise self.fail("transcript", "is missing: a list of texts, token ids and { plain = text }")
        ids: list[int] = []
        pending = ""
        for piece in pieces:
            # Neighbouring texts are encoded together: tokens may span the seam, as they do in real output.
            if isinstance(piece, str):
                pending += piece
                continue
            ids += vocabulary().encode_markers(pending)
            pending = ""
            if isinstance(piece, int) and not isinstance(piece, bool) and is_id(piece):
                ids.append(piece)
            elif isinstance(piece, dict) and set(piece) == {"plain"} and isinstance(piece["plain"], str):
                ids += vocabulary().encode(piece["plain"])
            else:
                raise self.fail(
                    "transcript", f"holds {_shown(piece)}; expected a text, a token id or {{ plain = text }}"
                )
        return tuple(ids + vocabulary().encode_markers(pending))

    def _expected(self) -> tuple[Message, ...]:
        rows = self.data.get("expected")
        if not isinstance(rows, list):
            raise self.fail("expected", "is missing: the messages as tables, or [] for none")
        messages = []
        for row in rows:
            if not isinstance(row, dict):
                raise self.fail("expected", f"holds {_shown(row)}; expected a table")
            self._only(row, _MESSAGE_KEYS)
            values = {"role": "assistant", **row}
            if "content" not in row or not all(isinstance(v, str) for v in values.values()):
                raise self.fail("expected", "needs a `content` in every message, and text in every field")
            messages.append(Message(**values))
        return tuple(messages)

    def _errors(self) -> Mapping[str, str]:
        errors = self.data.get("errors", {})
        if not isinstance(errors, dict) or not all(isinstance(v, str) for v in errors.values()):
            raise self.fail("errors", "must be a table of error texts by release")
        return errors

    def _text(self, key: str) -> str:
        value = self.data.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(key, "is missing: expected a text")
        return value

    def _strings(self, key: str) -> tuple[str, ...]:
        values = self.data.get(key, [])
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise self.fail(key, "must be a list of texts")
        return tuple(values)

    def _only(self, table: Mapping[str, Any], known: frozenset[str]) -> None:
        for key in table:
            if key not in known:
                raise self.fail(key, f"is not known here; expected one of {', '.join(sorted(known))}")
