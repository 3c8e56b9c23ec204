"""The formats that a transcript leaves harmonylens in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ..gallery import Gallery, Sample, bundle
from .fixture import export_json
from .html import export_html
from .markdown import export_markdown
from .pytest_file import export_pytest
from .sarif import export_sarif
from .subject import Subject


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        name: on the command line, "html".
        title: for people, and ``line``: what it is for, in half a sentence.
        suffix: of its files.
        mime: its media type.
        reopens: whether harmonylens opens it again to the same inspection.
        write: makes the file.
    """

    name: str
    title: str
    line: str
    suffix: str
    mime: str
    reopens: bool
    write: Callable[[Subject], bytes]


def export_bundle(subject: Subject) -> bytes:
    """A ``.harmonylens`` file with one sample.

    Raises:
        inspector.gallery.SampleError: it would be larger than what is opened again.
    """
    transcript = subject.transcript
    if subject.sample is not None:
        sample = replace(subject.sample, transcript=transcript)
    else:
        sample = Sample(
            name=subject.name, title=subject.card.title, story=subject.card.story, family="", transcript=transcript,
            expected=(), tags=subject.card.tags, stated=False,
        )  # fmt: skip
    return bundle(Gallery(subject.name, subject.title, "", (sample,)))


_ALL: Final = (
    Format(
        "html", "HTML page", "the whole screen in one file, opens without a server",
        ".html", "text/html", True, export_html,
    ),
    Format(
        "markdown", "Markdown", "an issue: what broke, where, what was meant",
        ".md", "text/markdown", False, export_markdown,
    ),
    Format(
        "json", "JSON fixture", "the inspection record, for tests and tools",
        ".json", "application/json", True, export_json,
    ),
    Format(
        "pytest", "pytest file", "reproduces the parse with openai_harmony alone",
        ".py", "text/x-python", False, export_pytest,
    ),
    Format(
        "sarif", "SARIF", "findings for code scanning and editors",
        ".sarif", "application/sarif+json", False, export_sarif,
    ),
    Format(
        "bundle", "Bundle", "a gallery of this one sample",
        ".harmonylens", "application/octet-stream", True, export_bundle,
    ),
)  # fmt: skip

FORMATS: Final[Mapping[str, Format]] = {one.name: one for one in _ALL}
"""All formats, by name, in the order in which they are offered."""


def file_name(subject: Subject, form: Format) -> str:
    """The name of the exported file: letters, digits and hyphens, and a suffix."""
    stem = f"test_{subject.name.replace('-', '_')}" if form.name == "pytest" else subject.name
    return f"{stem}{form.suffix}"
