"""The examples in the causes' documentation, as values that can be checked and shown.

The first fence of the section "Example" is the emitted text. Lines ``# key: value`` at its top are settings:
``style`` (one of :data:`inspector.prompt.STYLES`) and ``role`` (``none`` for a whole conversation, else the
transcript continues the assistant's turn). The rest is the transcript: text that spells a marker is that
marker, ``<|#162|>`` is the token with the id 162, and a line break before ``<|start|>`` is layout only. The
first fence of the section "Repaired" is the text of the next prompt, laid out alike, or the first line of the
error where there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ...finding import Rule
from ...tokens import vocabulary

_SETTING: Final = re.compile(r"# (\w+): (.+)\n")
_ID: Final = re.compile(r"<\|#(\d+)\|>")


@dataclass(frozen=True, slots=True)
class Example:
    """A transcript in which a cause occurs, and the text of its next prompt."""

    style: str
    role: str | None
    ids: tuple[int, ...]
    reencoded: str


def example_of(rule: Rule) -> Example:
    """The example of a cause's documentation.

    Raises:
        ValueError: the documentation has no such example.
    """
    text, reencoded = _fence(rule, "Example"), _fence(rule, "Repaired")
    settings: dict[str, str] = {}
    while match := _SETTING.match(text):
        settings[match.group(1)] = match.group(2)
        text = text[match.end() :]
    if "style" not in settings:
        raise ValueError(f"the example of {rule.name} does not name its style: begin it with `# style: ...`")
    role = settings.get("role", "assistant")
    return Example(settings["style"], None if role == "none" else role, _ids(_joined(text)), _joined(reencoded))


def _fence(rule: Rule, section: str) -> str:
    _, opened, rest = f"\n{rule.sections.get(section, '')}\n".partition("\n```text\n")
    text, closed, _ = f"\n{rest}".partition("\n```\n")
    if not opened or not closed:
        raise ValueError(f"the documentation of {rule.name} has no ```text fence in the section {section!r}")
    return text.removeprefix("\n")


def _joined(text: str) -> str:
    return text.replace("\n<|start|>", "<|start|>")


def _ids(text: str) -> tuple[int, ...]:
    ids: list[int] = []
    at = 0
    for match in _ID.finditer(text):
        ids += vocabulary().encode_markers(text[at : match.start()])
        ids.append(int(match.group(1)))
        at = match.end()
    return tuple(ids + vocabulary().encode_markers(text[at:]))
