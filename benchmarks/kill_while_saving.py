"""``python benchmarks/kill_while_saving.py``: savers that are killed at any moment, and what is in the database then.

Child processes save samples and edit them, and print each write once the store has confirmed it. They are killed with
signal 9 at random moments of that. After every kill the database is opened anew, and it is checked that every
confirmed write is there as it was confirmed, that no row is half (every transcript has its revisions, numbered without
a gap, each of which opens; every content has the digest that it is named by), and, of SQLite, that the file is sound.
Counts go to ``benchmarks/results/kill_while_saving.json``; the exit code is 1 where anything was lost or half.

PostgreSQL is started on loopback, in a folder of its own, and is gone afterwards; it needs Debian's ``postgresql``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "benchmarks" / "results" / "kill_while_saving.json"
SAVERS: Final = 2
"""Savers at once, that they also meet each other."""

LONGEST_S: Final = 1.5
"""Seconds after its first confirmed write within which a saver is killed: several hundred writes."""

TOKENS: Final = (3, 4_000)
"""Of a sample: small ones are one page of a database, large ones are many."""


def save(url: str, name: str, seed: int) -> None:
    """Save and edit until killed; a line for every write that was confirmed."""
    from sqlalchemy import create_engine

    from inspector.gallery.database import SampleStore
    from inspector.gallery.sample import Sample
    from inspector.tokens import Transcript

    chance = random.Random(seed)
    store = SampleStore(create_engine(url))
    for step in range(1_000_000):
        ids = tuple(chance.randrange(199_998) for _ in range(chance.randint(*TOKENS)))
        title = f"{name} {step}"
        written = store.save(Sample("", title, "It was saved.", "", Transcript(ids), ()), author=name)
        _tell(written.id, written.revision.number, title)
        for turn in range(chance.randrange(4)):
            title = f"{name} {step} {turn}"
            written = store.edit(written.id, based_on=1, title=title, author=name)
            _tell(written.id, written.revision.number, title)


def _tell(id: str, number: int, title: str) -> None:
    print(json.dumps([id, number, title]), flush=True)


def killed(url: str, round_: int, chance: random.Random) -> list[tuple[str, int, str]]:
    """Run savers and kill them; what had been confirmed to them."""
    command = [sys.executable, str(Path(__file__).resolve()), "--saver", url]
    savers = [
        subprocess.Popen(
            [*command, f"saver {round_}.{number}", str(chance.randrange(2**31))],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for number in range(SAVERS)
    ]
    confirmed: list[tuple[str, int, str]] = []
    try:
        for saver in savers:
            assert saver.stdout is not None
            line = saver.stdout.readline()
            if not line:
                raise SystemExit(f"a saver ended by itself with code {saver.wait()}")
            confirmed.append(_said(line))
        for saver in savers:
            time.sleep(chance.uniform(0, LONGEST_S / SAVERS))
            saver.send_signal(signal.SIGKILL)
    finally:
        for saver in savers:
            saver.kill()
            rest = saver.communicate()[0]
            # A line that was cut off is a write that nobody was told of.
            confirmed += [_said(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    return confirmed


def _said(line: str) -> tuple[str, int, str]:
    id, number, title = json.loads(line)
    return id, number, title


def faults(url: str, confirmed: list[tuple[str, int, str]]) -> list[str]:
    """What is wrong with the database after a kill, in sentences."""
    from sqlalchemy import create_engine

    from inspector.gallery.database import SampleStore
    from inspector.gallery.saved import StoreError

    engine = create_engine(url)
    found: list[str] = []
    try:
        store = SampleStore(engine)
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                said = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
                if said != "ok":
                    found.append(f"the file is not sound: {said}")
        for id, number, title in confirmed:
            try:
                held = store.get(id, number)
            except StoreError as error:
                found.append(f"revision {number} of {id} is damaged: {error}")
                continue
            if held is None or held.sample.title != title:
                found.append(f"revision {number} of {id} was confirmed and is not there as it was confirmed")
        found += _halves(engine, {id for id, _, _ in confirmed})
    finally:
        engine.dispose()
    return found


def _halves(engine: Any, known: set[str]) -> Iterator[str]:
    """Rows that say only a part: transcripts whose revisions have a gap or are none, contents with another digest."""
    from sqlalchemy import func, select

    from inspector.gallery.content import MAX_BYTES, digest_of, unpacked
    from inspector.gallery.tables import REVISIONS, TRANSCRIPTS

    count, most = func.count(REVISIONS.c.number), func.coalesce(func.max(REVISIONS.c.number), 0)
    gaps = (
        select(TRANSCRIPTS.c.id, count, most)
        .outerjoin(REVISIONS, REVISIONS.c.sample_id == TRANSCRIPTS.c.id)
        .group_by(TRANSCRIPTS.c.id)
        .having((count == 0) | (count != most))
    )
    with engine.connect() as connection:
        for id, there, newest in connection.execute(gaps):
            yield f"{id} has {there} revisions, and the newest has the number {newest}"
        for id in known:
            row = connection.execute(select(TRANSCRIPTS).where(TRANSCRIPTS.c.id == id)).one()
            if digest_of(unpacked(row.content, MAX_BYTES)) != row.digest:
                yield f"the content of {id} has another digest than its own"


def measured(url: str, kills: int, seconds: float, seed: int) -> dict[str, Any]:
    """Kill until there were so many kills, or so much time has gone."""
    chance = random.Random(seed)
    began = time.monotonic()
    wrong: list[str] = []
    confirmed: list[tuple[str, int, str]] = []
    rounds = 0
    while rounds * SAVERS < kills and time.monotonic() - began < seconds:
        these = killed(url, rounds, chance)
        rounds += 1
        confirmed += these
        wrong += faults(url, these)
    # All of it once more: what was whole after its own kill is whole after those that came later.
    wrong += faults(url, confirmed)
    return {
        "kills": rounds * SAVERS,
        "confirmed writes": len(confirmed),
        "seconds": round(time.monotonic() - began),
        "lost, half or damaged": len(wrong),
        "first faults": wrong[:5],
    }


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of an empty one while the block runs."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="harmonylens-kill-") as folder:
            yield f"sqlite:///{folder}/samples.sqlite3"
        return
    sys.path.insert(0, str(ROOT / "tests" / "gallery"))
    from postgres_server import running

    with running() as server:
        yield server.new_database().replace("postgresql://", "postgresql+psycopg://", 1)


def main() -> int:
    """Measure each database; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--database", action="append", choices=("sqlite", "postgresql"), help="default: both")
    parser.add_argument("--kills", type=int, default=200, help="of each database (default 200)")
    parser.add_argument("--seconds", type=float, default=600.0, help="at most, of each database (default 600)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--saver", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.saver:
        url, name, seed = given.saver
        save(url, name, int(seed))
        return 0
    found: dict[str, Any] = {}
    for kind in given.database or ("sqlite", "postgresql"):
        with database(kind) as url:
            found[kind] = measured(url, given.kills, given.seconds, given.seed)
        print(f"{kind}: {json.dumps(found[kind])}", flush=True)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    result = {"date": date.today().isoformat(), "machine": machine, "seed": given.seed, "databases": found}
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(result, indent=1) + "\n")
    return int(any(one["lost, half or damaged"] for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
