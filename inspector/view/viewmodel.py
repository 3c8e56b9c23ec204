"""What stays the same while a person flips switches: the tokens and their reading, packed for the browser.

Pure functions from an inspection to bytes; nothing here knows Streamlit. The tokens travel as a dictionary of the
unique ids and an index per token, the tree as where its leaves and nodes begin, the strict verdicts as outlines.
See :mod:`inspector.view.feed` for what does change.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..harmony.tree import LeafKind, MessageNode, Tree
from ..harmony.verdict import StrictError, Verdict
from ..ingest import Switches, switches_of
from ..inspection import Inspection
from ..tokens import MARKER_HELP, Span, Transcript, is_special, vocabulary
from .container import Array, pack, unpack
from .glyphs import characters_over_tokens, look_alikes, marker_name
from .outline import NodeIndex, fields_of, outline

VERSION: Final = 1
LEAF_KINDS: Final = tuple(LeafKind)
"""A leaf's kind travels as its index in here."""

MAX_ERROR_TEXT: Final = 4000
"""Characters of an error text that travel; the library's can be as long as the header."""

MAX_LATER: Final = 20
ORIGINS: Final = ("prompt", "sampled", "injected")
"""A token's origin travels as its index in here."""

_EXACT: Final = 2**53
_FLOAT32_MAX: Final = float(np.finfo(np.float32).max)
_WIDTHS: Final[Mapping[str, int]] = {"nodes": 6, "groups": 2, "alike": 2}
"""Numbers that make up a row of a section, where it is more than one."""


def digest(transcript: Transcript) -> str:
    """A short name of the transcript's tokens, role, tools and the switches it came with: what a switch belongs to."""
    hasher = hashlib.blake2b(repr((transcript.role, transcript.tools)).encode(), digest_size=9)
    switches = switches_of(transcript)
    if switches != Switches():
        hasher.update(repr(switches.record()).encode())
    try:
        hasher.update(np.fromiter(transcript.ids, dtype=np.int64, count=len(transcript.ids)).tobytes())
    except OverflowError:
        hasher.update(repr(transcript.ids).encode())
    return hasher.hexdigest()


@dataclass(frozen=True, slots=True)
class View:
    """What is packed: the head and the sections of the container."""

    head: Mapping[str, Any]
    sections: Mapping[str, Array]

    def pack(self) -> bytes:
        """The container, see :mod:`inspector.view.container`."""
        return pack(self.head, self.sections)


def pack_view(inspection: Inspection) -> bytes:
    """The container with everything about the tokens themselves: :func:`view_of`, packed."""
    return view_of(inspection).pack()


def view_of(inspection: Inspection, *, stream: str | None = None) -> View:
    """Everything about the tokens themselves, for the browser.

    Head: ``version``, ``digest``, ``count`` (tokens), ``role``, ``huge`` (ids beyond 2**53 as text, by their place
    in the dictionary), ``labels`` (unique message fields), ``kinds`` (names of leaf kinds), ``markers`` (name and
    explanation of the special tokens that occur), ``strict`` (verdicts). Sections: ``ids`` f64, ``lengths`` u8 and
    ``bytes`` u8 (the dictionary), ``index`` u16 or u32 (the tokens), ``leaf_starts`` u32, ``leaf_kinds`` u8,
    ``nodes`` u32 (six numbers each: start, end, body start, body end, label + 1 or 0, flags), ``groups`` u32
    (start and end of characters that several tokens make up), ``alike`` u32 (start and end of look-alikes); where
    they are known, ``origins`` u8 (:data:`ORIGINS`) and ``logprobs`` f32 (NaN where not reported), one for a token.

    Args:
        inspection: of the transcript.
        stream: the digest to name it by, for one that grows; its own by default.
    """
    transcript = inspection.transcript
    tree = inspection.tree
    labels: dict[tuple[tuple[str, str], ...], int] = {}
    nodes = _nodes(tree, labels)
    leaves = list(tree.leaves())
    head, sections = _dictionary(transcript.ids)
    index = NodeIndex(tree)
    head |= {
        "version": VERSION,
        "digest": digest(transcript) if stream is None else stream,
        "count": len(transcript.ids),
        "role": transcript.role,
        "labels": [dict(label) for label in labels],
        "kinds": [str(kind) for kind in LEAF_KINDS],
        "strict": [verdict_record(v, index, transcript.ids) for v in inspection.strict],
    }
    ordinal = {kind: i for i, kind in enumerate(LEAF_KINDS)}
    sections |= {
        "leaf_starts": np.array([leaf.start for leaf in leaves], dtype=np.uint32),
        "leaf_kinds": np.array([ordinal[leaf.kind] for leaf in leaves], dtype=np.uint8),
        "nodes": nodes,
        "groups": _pairs(characters_over_tokens(transcript.ids)),
        "alike": _pairs(look_alikes(transcript.ids)),
    }
    if transcript.origins is not None:
        sections["origins"] = np.array([ORIGINS.index(origin) for origin in transcript.origins], dtype=np.uint8)
    if transcript.logprobs is not None:
        known = (math.nan if logprob is None else logprob for logprob in transcript.logprobs)
        exact = np.fromiter(known, dtype=np.float64, count=len(transcript.logprobs))
        sections["logprobs"] = np.clip(exact, -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)
    return View(head, sections)


def pack_appendix(previous: View, now: View) -> bytes:
    """What turns the ``previous`` view of a growing transcript into the one of ``now``, as a container.

    Every section keeps its first elements and gets others after them; the head's ``kept`` says how many. So appended
    tokens travel with the tail of the reading that they changed, and nothing before it does. The head holds ``base``
    (tokens before), ``labels``, ``markers`` and ``huge`` (those that are new only), and the rest as it is now.

    Raises:
        ValueError: ``now`` does not continue ``previous``: other tokens, or another stream.
    """
    base = previous.head["count"]
    kept = {name: _kept(name, previous.sections.get(name), array) for name, array in now.sections.items()}
    # An id that is new may follow the last one in the dictionary: the three sections of it are cut at one place.
    kept["ids"] = kept["lengths"] = len(previous.sections["ids"])
    kept["bytes"] = len(previous.sections["bytes"])
    if kept["index"] != base or previous.head["digest"] != now.head["digest"]:
        raise ValueError(f"the tokens do not continue the {base:,} tokens of stream {previous.head['digest']!r}")
    old_labels, new_labels = previous.head["labels"], now.head["labels"]
    shared = 0
    while shared < min(len(old_labels), len(new_labels)) and old_labels[shared] == new_labels[shared]:
        shared += 1
    fresh = {
        name: {place: value for place, value in now.head[name].items() if int(place) >= kept["ids"]}
        for name in ("markers", "huge")
    }
    head = {name: value for name, value in now.head.items() if name != "kinds"} | fresh
    head |= {"base": base, "kept": kept | {"labels": shared}, "labels": new_labels[shared:]}
    return pack(head, {name: array[kept[name] :] for name, array in now.sections.items()})


def apply_appendix(previous: View, appendix: bytes) -> View:
    """The view that ``appendix`` makes of ``previous``: what the browser does, for tests and tools.

    Raises:
        ValueError: ``appendix`` belongs to another stream or to another number of tokens.
    """
    head, tails = unpack(appendix)
    kept, base = head.pop("kept"), head.pop("base")
    if base != previous.head["count"] or head["digest"] != previous.head["digest"]:
        raise ValueError(f"this appendix continues {base:,} tokens of stream {head['digest']!r}")
    empty = np.array([], dtype=np.uint8)
    head["kinds"] = previous.head["kinds"]
    head["labels"] = [*previous.head["labels"][: kept["labels"]], *head["labels"]]
    for name in ("markers", "huge"):
        head[name] = {**previous.head[name], **head[name]}
    sections = {
        name: np.concatenate((previous.sections.get(name, empty)[: kept[name]].astype(tail.dtype), tail))
        for name, tail in tails.items()
    }
    return View(head, sections)


def _kept(name: str, old: Array | None, new: Array) -> int:
    """How many first elements of a section stay, in whole rows."""
    if old is None:
        return 0
    size = min(len(old), len(new))
    same = old[:size] == new[:size]
    if new.dtype.kind == "f":
        same |= np.isnan(old[:size]) & np.isnan(new[:size])
    first = int(size if same.all() else np.argmin(same))
    return first - first % _WIDTHS.get(name, 1)


def _pairs(spans: Iterable[Span]) -> Array:
    return np.array([edge for span in spans for edge in (span.start, span.end)], dtype=np.uint32)


def _dictionary(ids: Sequence[int]) -> tuple[dict[str, Any], dict[str, Array]]:
    """The unique ids with their bytes, and the tokens as indexes into them."""
    place: dict[int, int] = {}
    index = [place.setdefault(token, len(place)) for token in ids]
    table = vocabulary().token_bytes
    data = [table(token) or b"" for token in place]
    head = {
        "huge": {str(at): str(token) for token, at in place.items() if not -_EXACT < token < _EXACT},
        "markers": {
            str(at): [marker_name(token), MARKER_HELP.get(token, "A special token that structures nothing in Harmony.")]
            for token, at in place.items()
            if is_special(token)
        },
    }
    sections: dict[str, Array] = {
        "ids": np.array([float(t) if -_EXACT < t < _EXACT else 0.0 for t in place], dtype=np.float64),
        "lengths": np.array([len(piece) for piece in data], dtype=np.uint8),
        "bytes": np.frombuffer(b"".join(data), dtype=np.uint8),
        "index": np.array(index, dtype=np.uint16 if len(place) < 2**16 else np.uint32),
    }
    return head, sections


INCOMPLETE: Final = 1
"""Flag of a node without a message or without a terminator."""

STRAY: Final = 2
"""Flag of a node that is no message."""


def _nodes(tree: Tree, labels: dict[tuple[tuple[str, str], ...], int]) -> Array:
    rows: list[tuple[int, int, int, int, int, int]] = []
    for node in tree.nodes:
        if not isinstance(node, MessageNode):
            rows.append((node.start, node.end, node.end, node.end, 0, STRAY))
            continue
        label = 0
        if node.message is not None:
            label = 1 + labels.setdefault(tuple(fields_of(node.message).items()), len(labels))
        flags = 0 if node.terminator is not None and node.message is not None else INCOMPLETE
        rows.append((node.start, node.end, node.body_start, node.body_end, label, flags))
    return np.array(rows, dtype=np.uint32).reshape(-1)


def verdict_record(verdict: Verdict, index: NodeIndex, ids: Sequence[int]) -> dict[str, Any]:
    """One release's verdict for the browser."""
    return {
        "release": verdict.release,
        "mode": verdict.mode,
        "ok": verdict.ok,
        "source": verdict.source,
        "error": error_record(verdict.error),
        "later": [error_record(error) for error in verdict.later[:MAX_LATER]],
        "more_later": max(0, len(verdict.later) - MAX_LATER),
        "messages": outline(verdict.messages, index, ids),
    }


def error_record(error: StrictError | None) -> dict[str, Any] | None:
    """A strict error for the browser, its text cut to what a screen can show."""
    if error is None:
        return None
    text = error.text
    if len(text) > MAX_ERROR_TEXT:
        text = f"{text[:MAX_ERROR_TEXT]}… ({len(error.text) - MAX_ERROR_TEXT:,} more characters)"
    return {"text": text, "token": error.token, "cause": [error.cause.start, error.cause.end], "kind": error.kind}
