"""Synthetic runs as transcript records, one JSON object per line.

``python -P -m inspector.gallery.generate founding`` prints the preset of the founding report: 500 runs, 190 of
which break openai-harmony 0.0.8 with the report's 17 error texts, as often as the report counted them. A scan
of them prints the histogram that this project grew out of. ``... healthy --count 1000`` prints runs without a
flaw.

The same seed gives the same bytes, on every machine and every Python.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import click

from ..tokens import vocabulary
from .founding import Piece, founding_runs
from .runs import Dice, healthy_run

FOUNDING_SEED: Final = 190


def founding_records(seed: int = FOUNDING_SEED) -> Iterator[dict[str, Any]]:
    """The founding preset's 500 records; ``meta.expected_error`` is the report's text, null when healthy."""
    for number, (pieces, line) in enumerate(founding_runs(seed)):
        meta = {"preset": "founding", "expected_error": line.text if line else None}
        yield _record(f"founding-{number:03d}", pieces, meta, complete=line is None)


def healthy_records(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """``count`` records of runs without a flaw."""
    dice = Dice(seed)
    for number in range(count):
        yield _record(f"healthy-{number:06d}", [healthy_run(dice)], {"preset": "healthy"}, complete=True)


def encode_pieces(pieces: Iterable[Piece]) -> list[int]:
    """The token ids of texts with markers spelled out, and of the ids between them."""
    ids: list[int] = []
    for piece in pieces:
        ids += [piece] if isinstance(piece, int) else vocabulary().encode_markers(piece)
    return ids


def _record(name: str, pieces: Iterable[Piece], meta: dict[str, Any], *, complete: bool) -> dict[str, Any]:
    record: dict[str, Any] = {"id": name, "role": None, "token_ids": encode_pieces(pieces)}
    if complete:
        record |= {"finish_reason": "stop", "stop_reason": None}
    return record | {"meta": meta}


@click.group(help=__doc__)
def main() -> None:
    """The command line of this module."""


@main.command()
@click.option("--seed", default=FOUNDING_SEED, show_default=True, help="Another seed gives another 500 runs.")
def founding(seed: int) -> None:
    """500 runs with the slips of the founding report."""
    _print(founding_records(seed))


@main.command()
@click.option("--count", default=100, show_default=True, type=click.IntRange(0), help="How many runs.")
@click.option("--seed", default=1, show_default=True, help="Another seed gives other runs.")
def healthy(count: int, seed: int) -> None:
    """Runs without a flaw."""
    _print(healthy_records(count, seed))


def _print(records: Iterable[dict[str, Any]]) -> None:
    for record in records:
        click.echo(json.dumps(record, ensure_ascii=True, separators=(",", ":")))


if __name__ == "__main__":
    main(prog_name="python -P -m inspector.gallery.generate")
