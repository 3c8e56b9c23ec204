"""What the command line takes in: files, tools, selectors, choices. Each failure is one sentence."""

from __future__ import annotations

import codecs
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from ..budgets import CLI
from ..files import whole_file

MAX_BYTES: Final = CLI.unpacked
"""What ``inspect`` reads at most: a transcript of a million tokens takes about 8 MB as ids."""

_SNIFFED: Final = 8192
_BOMS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ZIP: Final = b"PK\x03\x04"
_GZIP: Final = b"\x1f\x8b\x08"
_BUILTINS: Final = ("python", "browser", "container")


class InputError(click.ClickException):
    """Input that cannot be used; the message is one sentence that says what was expected and what to do."""

    exit_code = 2


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """The file ``path``, or standard input for ``-``, for reading bytes.

    Raises:
        InputError: it is missing, a folder, or may not be read.
    """
    if path == "-":
        if sys.stdin is None or sys.stdin.closed:
            raise InputError("standard input is closed: give the path of a file.")
        if sys.stdin.isatty():
            click.echo("Reading standard input; end it with Ctrl-D on a line of its own.", err=True)
        yield sys.stdin.buffer
        return
    if not path:
        raise InputError("the name of the file is empty: give the path of a file, or - for standard input.")
    shown = click.format_filename(path)
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below, and errors of opening are told apart
    except FileNotFoundError:
        raise InputError(f"{shown} does not exist: give the path of a file, or - for standard input.") from None
    except IsADirectoryError:
        raise InputError(f"{shown} is a folder: give a file, or several files to `harmonylens scan`.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{shown} cannot be read: {reason(error)}.") from None
    with file:
        yield file


def read_bytes(path: str, what: str = "") -> bytes:
    """All of a file or of standard input; ``what`` it is for, where that is no transcript ("a list of tools").

    Raises:
        InputError: as :func:`opened`, or it is empty, binary, or beyond :data:`MAX_BYTES`.
    """
    shown = "standard input" if path == "-" else click.format_filename(path)
    with opened(path) as file:
        try:
            size = os.fstat(file.fileno())
            if stat.S_ISREG(size.st_mode) and size.st_size > MAX_BYTES:
                raise InputError(_too_large(shown, f"{size.st_size / 2**20:,.0f} MB", what))
        except (OSError, AttributeError):
            pass  # not a file of the system (a pipe, a test's buffer): its size shows when it is read
        try:
            data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise InputError(f"{shown} cannot be read: {reason(error)}.") from None
    if len(data) > MAX_BYTES:
        raise InputError(_too_large(shown, f"more than {MAX_BYTES / 2**20:,.0f} MB", what))
    if not data:
        raise InputError(f"{shown} is empty: expected a model output as text, token ids, or transcript records.")
    # Archives are taken apart by who reads them.
    if not data.startswith((_ZIP, _GZIP)):
        refuse_binary(data[:_SNIFFED], shown)
    return data


def write_file(path: Path, data: bytes, force: bool) -> None:
    """Write ``data`` into the file ``path``; ``force`` replaces one that is there, once the new one is complete.

    Raises:
        InputError: it is there already, or cannot be written.
    """
    shown = click.format_filename(path)
    try:
        with whole_file(path, replace=force) as file:
            file.write(data)
    except FileExistsError:
        raise InputError(f"{shown} exists: name another file, or pass --force to replace it.") from None
    except OSError as error:
        raise InputError(f"{shown} cannot be written: {reason(error)}.") from None


def refuse_binary(head: bytes, shown: str) -> None:
    """Refuse what is no text: it holds a zero byte and is not UTF-8 either, or holds nothing else.

    Raises:
        InputError: it is binary.
    """
    if b"\0" not in head or head.startswith(_BOMS):
        return
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head.strip(b"\0") or b"\xff")
    except UnicodeDecodeError:
        raise InputError(
            f"{shown} is a binary file (a zero byte at offset {head.index(0)}): "
            "expected text, token ids or transcript records in UTF-8."
        ) from None


def _too_large(shown: str, size: str, what: str) -> str:
    context = click.get_current_context(silent=True)
    command = context.info_name if context is not None else None
    if what:
        return f"{shown} has {size}, and {what} has {MAX_BYTES // 2**20} MB at most: is that the right file?"
    advice = _IF_TOO_LARGE.get(command or "", "split the file")
    return f"{shown} has {size}, and {command or 'this'} reads {MAX_BYTES // 2**20} MB at most: {advice}."


_IF_TOO_LARGE: Final = {
    "inspect": "use `harmonylens scan` for many records, or cut the transcript",
    "export": "put the transcript into a file of its own, or cut it",
}
"""What to do, by command."""


class NamedPath(click.Path):
    """A path that is not empty: an empty one would be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """See :meth:`click.ParamType.convert`."""
        if value == "":
            self.fail("it is empty: give the name of a file or a folder.", param, ctx)
        return super().convert(value, param, ctx)


def reason(error: Exception) -> str:
    """What went wrong, for the end of a sentence."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).rstrip(".")


def parse_tools(values: Iterable[str]) -> tuple[str, ...]:
    """Names of declared tools from ``--tools`` values: ``bash,python`` or ``@tools.json``.

    A JSON file holds a list of names or of tool definitions (OpenAI's ``{"type": "function", "function":
    {"name": ...}}`` or the bare function), or an object with such a list under ``tools``. A bare name that is
    no builtin gets the namespace ``functions.``.

    Raises:
        InputError: the file cannot be read or holds something else.
    """
    names: dict[str, None] = {}
    for value in values:
        found = _tools_file(value[1:]) if value.startswith("@") else value.split(",")
        names.update(dict.fromkeys(qualified(name.strip()) for name in found if name.strip()))
    return tuple(names)


def qualified(name: str) -> str:
    """``bash`` as the recipient that a model would write, ``functions.bash``; dotted names stay."""
    return name if "." in name or name in _BUILTINS else f"functions.{name}"


def _tools_file(path: str) -> list[str]:
    shown = click.format_filename(path)
    try:
        value = json.loads(read_bytes(path, "a list of tools"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shown} is not JSON ({error}): expected a list of tool names or definitions.") from None
    entries = value.get("tools") if isinstance(value, Mapping) else value
    if not isinstance(entries, list):
        raise InputError(f"{shown} holds no list: expected a list of tool names or definitions, or one under `tools`.")
    return [_tool_name(entry, number, shown) for number, entry in enumerate(entries, 1)]


def _tool_name(entry: Any, number: int, shown: str) -> str:
    name = entry
    if isinstance(entry, Mapping):
        function = entry.get("function")
        name = function.get("name") if isinstance(function, Mapping) else entry.get("name")
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"tool {number} of {shown} has no name: expected a string or an object with `name`.")
    return name.strip()


def parse_list(values: Iterable[str]) -> tuple[str, ...]:
    """Words from options that may be repeated and may hold commas."""
    return tuple(dict.fromkeys(word.strip() for value in values for word in value.split(",") if word.strip()))


def parse_selectors(values: Iterable[str], option: str) -> tuple[str, ...]:
    """Codes, prefixes of codes, or names of rules, each of which some rule answers to.

    Raises:
        InputError: no rule has such a code or name.
    """
    words = parse_list(values)
    if not words:
        return ()
    from ..report.rules import all_rules, close_to

    out = []
    for word in words:
        codes = [code for code in all_rules() if code.startswith(word.upper())]
        named = [rule.name for rule in all_rules().values() if rule.name == word.lower()]
        if not codes and not named:
            meant = close_to(word)
            hint = f"did you mean {' or '.join(meant)}?" if meant else "see `harmonylens rules`."
            raise InputError(f"{option} {word!r}: no rule has that code, prefix or name; {hint}")
        out.append(word.upper() if codes else word.lower())
    return tuple(out)


def parse_choices(values: Iterable[str]) -> dict[str, int]:
    """``KEY=N`` pairs: the alternative reading ``N`` (1 is the first, 0 the default) of the finding ``KEY``.

    Raises:
        InputError: a value is not of that form.
    """
    choices: dict[str, int] = {}
    for value in values:
        key, equals, number = value.rpartition("=")
        if not equals or not key.strip() or not number.strip().isdecimal():
            raise InputError(f"--choose {value!r}: expected KEY=N as the report names it, such as HS201@12=1.")
        choices[key.strip()] = int(number)
    return choices
