"""Every regular expression in the JavaScript of the screen, in the spelling of Python.

A literal is told from a division by what stands before it. Properties (``\\p{C}``) stand for one character each that
nothing else reads; patterns put together when the script runs stand in :data:`AT_RUN_TIME` as examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .finding import ROOT, Pattern, UnknownPattern

AT_RUN_TIME: Final[dict[str, tuple[str, ...]]] = {
    "inspector/view/screen/glyphs.js": (
        r"[\u034f\u115f\u{e0100}-\u{e01ef}]",
        r"(\p{E}(?:\ufe0f|\p{M1})?(?:\u200d\p{E}(?:\ufe0f|\p{M1})?)+|\u{1f3f4}[\u{e0020}-\u{e007e}]+\u{e007f})"
        r"|([\p{C}\p{Zl}\p{Zp}\u034f]|(?! )\p{Zs})|\p{M}{3,}",
    ),
}
"""The arguments of ``new RegExp`` by file, in their order, as they are when the script has run."""

_MADE: Final = re.compile(r"\bnew RegExp\(")
_FLAGS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_BEFORE: Final = "(,=:[!&|?{};+-*%<>~^"
_WORDS_BEFORE: Final = {"return", "typeof", "case", "in", "of", "do", "else", "void", "delete", "yield", "await"}
_WORD: Final = re.compile(r"[A-Za-z_$][\w$]*\Z")


def patterns(root: Path = ROOT) -> list[Pattern]:
    """Every pattern of the scripts under ``inspector/``; all count as searched."""
    found: list[Pattern] = []
    for path in sorted(root.glob("inspector/**/*.js")):
        file, text = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        found += [
            Pattern(file, text.count("\n", 0, at) + 1, f"/{body}/{flags}", _spelled(body), _flags(flags), True, False)
            for at, body, flags in literals(text)
        ]
        examples, made = AT_RUN_TIME.get(file, ()), len(_MADE.findall(text))
        if len(examples) != made:
            raise UnknownPattern(
                f"{file}: {made} patterns are made when the script runs, and AT_RUN_TIME of "
                f"tests/patterns/javascript.py has {len(examples)} examples of them."
            )
        found += [
            Pattern(file, 0, f"new RegExp {number}", _spelled(one), 0, True, False, run_time=True)
            for number, one in enumerate(examples, 1)
        ]
    return found


def _flags(letters: str) -> int:
    return sum(int(_FLAGS[letter]) for letter in letters if letter in _FLAGS)


def _spelled(body: str) -> str:
    """A pattern as Python writes it."""
    names: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        return names.setdefault(match[0], chr(0xE000 + len(names)))

    body = re.sub(r"\\[pP]\{[^{}]*\}", stand_in, body)
    body = re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda match: f"\\U{int(match[1], 16):08x}", body)
    return body.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!").replace(r"\/", "/")


def literals(text: str) -> Iterator[tuple[int, str, str]]:
    """Place, body and flags of every literal."""
    at, before = 0, ""
    open_templates: list[int] = []
    depth = 0
    while at < len(text):
        char = text[at]
        if text.startswith("//", at):
            at = _after(text, "\n", at)
        elif text.startswith("/*", at):
            at = _after(text, "*/", at + 2)
        elif char in "\"'":
            at, before = _string(text, at), "x"
        elif char == "`" or (char == "}" and open_templates and open_templates[-1] == depth):
            if char == "}":
                open_templates.pop()
                depth -= 1
            at, inside = _template(text, at + 1)
            before = "(" if inside else "x"
            if inside:
                depth += 1
                open_templates.append(depth)
        elif char == "/" and _begins(before):
            end = _regex(text, at)
            flags = re.compile(r"[a-z]*").match(text, end)
            assert flags is not None
            yield at, text[at + 1 : end - 1], flags[0]
            at, before = flags.end(), "x"
        else:
            depth += (char == "{") - (char == "}")
            if not char.isspace():
                before = (
                    (before + char)[-12:]
                    if _word(char) and before and _word(before[-1]) and _word(text[at - 1])
                    else char
                )
            at += 1


def _word(char: str) -> bool:
    return char.isalnum() or char in "_$"


def _begins(before: str) -> bool:
    """True where a slash begins a pattern: after an operator, an opening bracket, some words."""
    return not before or before[-1] in _BEFORE or before in _WORDS_BEFORE


def _after(text: str, what: str, at: int) -> int:
    found = text.find(what, at)
    return len(text) if found < 0 else found + len(what)


def _string(text: str, at: int) -> int:
    quote = text[at]
    at += 1
    while text[at] != quote:
        at += 2 if text[at] == "\\" else 1
    return at + 1


def _template(text: str, at: int) -> tuple[int, bool]:
    """The end of a template's text, and whether an expression begins there."""
    while text[at] != "`":
        if text.startswith("${", at):
            return at + 2, True
        at += 2 if text[at] == "\\" else 1
    return at + 1, False


def _regex(text: str, at: int) -> int:
    """The end of a literal, its closing slash included."""
    at += 1
    in_class = False
    while in_class or text[at] != "/":
        in_class = (in_class or text[at] == "[") and text[at] != "]"
        at += 2 if text[at] == "\\" else 1
    return at + 1
