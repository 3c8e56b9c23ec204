"""A process that saves: what test_database.py starts several of at once.

``python saving_at_once.py URL NAME COUNT``: saves one transcript under a title of its own, then edits it COUNT times,
always based on revision 1, and prints the numbers that it was given.
"""

from __future__ import annotations

import json
import sys

from sqlalchemy import create_engine

from inspector.gallery.database import SampleStore
from inspector.gallery.sample import Sample
from inspector.tokens import Transcript


def main(url: str, name: str, count: int) -> None:
    store = SampleStore(create_engine(url))
    # All begin when the last one is ready.
    print("ready", flush=True)
    sys.stdin.readline()
    sample = Sample("", f"{name} 0", "", "", Transcript((200005, 35644, 200008)), ())
    saved = store.save(sample, author=name)
    numbers = [saved.revision.number]
    for step in range(1, count + 1):
        numbers.append(store.edit(saved.id, based_on=1, title=f"{name} {step}", author=name).revision.number)
    print(json.dumps({"id": saved.id, "numbers": numbers}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
