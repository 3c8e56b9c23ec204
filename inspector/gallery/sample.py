"""A sample: a transcript, its story, what a careful engineer reads in it and what must be found in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..harmony.message import Message
from ..tokens import Transcript


class SampleError(ValueError):
    """A sample or a gallery that cannot be read; the message names the place and what was expected."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of the gallery.

    Attributes:
        name: its address (``?sample=NAME``), unique within its gallery: lower-case letters, digits, hyphens.
        title: a few words.
        story: two or three sentences: what happened, who loses it, what the repair does.
        family: a key of :data:`inspector.gallery.FAMILIES` for what ships, any words or "" elsewhere.
        transcript: the tokens, the role they continue, the declared tools, what a server reported.
        expected: the messages that a careful engineer reads in it, without places (start and end are -1).
        rules: codes of all that must be found in it (diagnostics and finish reasons), sorted, each once.
        drift: codes of the differences between what was emitted and the next prompt, as the newest release
            writes it from the repaired messages; sorted, each once.
        errors: by release ("openai-harmony 0.0.8"), the text of the error that its strict parser raises; a
            release that accepts the transcript is absent.
        founding: how often the founding report counted this error text; 0 for samples from elsewhere.
        tags: free words for filters.
        stated: False for a plain transcript record, which does not say what must be found in it; ``expected``,
            ``rules``, ``drift`` and ``errors`` are then empty and mean nothing.
    """

    name: str
    title: str
    story: str
    family: str
    transcript: Transcript
    expected: tuple[Message, ...]
    rules: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    founding: int = 0
    tags: tuple[str, ...] = ()
    stated: bool = True

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the declared tools."""
        return self.transcript.tools
