"""A revision's body: all that can be edited of a saved sample, as JSON values, checked and capped.

A body is a sample record (:mod:`inspector.gallery.record`) without what makes the transcript, and with its look.
The switches are in it as the ``settings`` that a transcript carries (:mod:`inspector.ingest.carried`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..ingest.carried import Card, Switches, carrying
from .content import FIELDS, canonical, packed, unpacked
from .damaged import damage
from .record import read_sample_record, sample_record
from .sample import Sample, SampleError
from .saved import StoreError

MAX_BODY: Final = 4 * 1024 * 1024
MAX_TITLE: Final = 200
MAX_STORY: Final = 20_000
MAX_TAGS: Final = 30
MAX_TAG: Final = 60
STORY_IN_LIST: Final = 600
MAX_LOOK: Final = 64 * 1024

NO_TOKENS: Final = b'{"role":null,"token_ids":[]}'
"""The content of an empty transcript: where only words are wanted, the tokens need not be opened."""


def plain(text: str) -> str:
    """``text`` as every database can hold it: no NUL, no lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def body_for(sample: Sample, switches: Switches | None, look: Mapping[str, Any]) -> dict[str, Any]:
    """All that can be edited, as JSON values.

    Args:
        sample: its words, statements, meta, and the switches that its transcript carries.
        switches: others instead of those.
        look: what lists draw of it, as JSON; left out where it is too large.

    Raises:
        StoreError: a text is too long, or there are too many tags.
    """
    title = " ".join(plain(sample.title).split())
    tags = tuple(dict.fromkeys(filter(None, (" ".join(plain(tag).split()) for tag in sample.tags))))
    if not title:
        raise StoreError("A saved sample needs a title.")
    _within("The title", len(title), MAX_TITLE)
    _within("The story", len(sample.story), MAX_STORY)
    if len(tags) > MAX_TAGS:
        raise StoreError(f"{len(tags)} tags were given; at most {MAX_TAGS} can be saved.")
    for tag in tags:
        _within(f"The tag {tag[:20]!r}", len(tag), MAX_TAG)
    words = replace(
        sample,
        title=title,
        story=" ".join(plain(sample.story).split()),
        tags=tags,
        family="",
        transcript=carrying(sample.transcript, switches, Card()),
    )
    record = sample_record(words)
    body = _clean({key: value for key, value in record.items() if key not in FIELDS and key != "name"})
    return {**body, "look": look if len(json.dumps(look)) <= MAX_LOOK else {}}


def _clean(body: dict[str, Any]) -> dict[str, Any]:
    """The body as it reads after it was written: lone surrogates are no text, and infinities are no JSON.

    Raises:
        StoreError: it holds what cannot be written at all, such as an integer of more digits than Python converts.
    """
    try:
        text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"What the sample says cannot be saved: JSON has no word for it ({error}).") from error
    cleaned: dict[str, Any] = json.loads(text, parse_constant=lambda _: None)
    return cleaned


def _within(what: str, length: int, limit: int) -> None:
    if length > limit:
        raise StoreError(f"{what} has {length:,} characters; at most {limit:,} can be saved.")


def columns(id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as the columns of a revision."""
    rules, raises = body.get("rules", []), sorted(body.get("errors", {}))
    card = {"story": body["story"][:STORY_IN_LIST], "tags": body["tags"], "rules": rules, "raises": raises}
    search = " ".join((id, body["title"], body["story"], *body["tags"], *rules))
    return {
        "title": body["title"],
        "tags": f"\n{chr(10).join(body['tags'])}\n",
        "search": plain(search).lower(),
        "card": json.dumps({**card, "look": body["look"]}, separators=(",", ":")),
        "body": packed(canonical(body, MAX_BODY, "What the sample says besides its tokens")),
    }


def body_of(packed_body: bytes) -> dict[str, Any]:
    """A revision's body.

    Raises:
        StoreError: it is damaged.
    """
    try:
        body = json.loads(unpacked(packed_body, MAX_BODY))
    except (ValueError, RecursionError):
        raise StoreError("The saved data is damaged: what a revision says is no JSON.") from None
    if not isinstance(body, dict):
        raise StoreError("The saved data is damaged: a revision is no object.")
    return body


def sample_of(id: str, content: bytes, body: Mapping[str, Any]) -> Sample:
    """The sample of a transcript's canonical bytes and a body; its name is the id.

    Raises:
        StoreError: they do not make one.
    """
    words = {key: value for key, value in body.items() if key != "look"}
    try:
        sample = read_sample_record({**words, **json.loads(content), "name": id}, f"saved sample {id}")
    except (SampleError, ValueError) as error:
        said = str(error).rstrip(".").removeprefix(f"saved sample {id}: ").removesuffix("; the field was left out")
        raise StoreError(damage(id, said)) from error
    except (TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        # JSON of another shape than anything that was ever saved.
        raise StoreError(damage(id, f"its values are not of the kinds that they have to be ({error})")) from error
    return replace(sample, name=id, transcript=replace(sample.transcript, source=f"saved sample {id}"))
