"""What is still read under the old name. The product was called harmonyscope until 0.2.0.

That name belongs to somebody else on PyPI. Files, links and databases that people made with 0.2.0 still open, and the
environment variables that they set still count, with a sentence. Everything that is written bears the new name.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import MutableMapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

NAME: Final = "harmonylens"
OLD_NAME: Final = "harmonyscope"

NAMES: Final = (NAME, OLD_NAME)
"""What a file of ours may call the product, the present name first."""

_PREFIX: Final = "HARMONYLENS_"
_OLD_PREFIX: Final = "HARMONYSCOPE_"

VARIABLES: Final = tuple(_PREFIX + word for word in ("CACHE", "DATABASE_URL", "GALLERIES", "API_KEY", "TRACEBACK"))
"""The environment variables that people set. Others are between our own processes, and have no old name."""


class OldNameWarning(FutureWarning):
    """Something is still called by the product's old name."""


def is_ours(schema: object, kind: str = "") -> bool:
    """Whether the ``schema`` of a file is one of ours, of whatever version and under either name.

    Args:
        schema: the value that the file has.
        kind: what stands behind the name: "" for records, "-gallery" for manifests, "-site" for static sites.

    >>> is_ours("harmonyscope/1"), is_ours("harmonylens-gallery/1", "-gallery"), is_ours("harmonics/1")
    (True, True, False)
    """
    return isinstance(schema, str) and schema.startswith(tuple(f"{name}{kind}/" for name in NAMES))


def variable(name: str) -> str:
    """An environment variable of :data:`VARIABLES`, by its old name where only that is set; "" when neither is.

    Warns:
        OldNameWarning: the old name was read.
    """
    value = os.environ.get(name, "")
    old = _OLD_PREFIX + name.removeprefix(_PREFIX)
    if value or not os.environ.get(old):
        return value
    warnings.warn(f"{old} is read as {name}: the product was renamed; rename the variable.", OldNameWarning, 2)
    return os.environ[old]


def plugins(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group of ours, those that a package still offers under the old name first."""
    return (*entry_points(group=OLD_NAME + group.removeprefix(NAME)), *entry_points(group=group))


def adopt(environment: MutableMapping[str, str]) -> list[str]:
    """Give the variables of :data:`VARIABLES` that stand under their old names the new ones; a sentence for each.

    Done when a program begins, so that the processes that it starts know the new names only.
    """
    sentences = []
    for name in VARIABLES:
        old = _OLD_PREFIX + name.removeprefix(_PREFIX)
        value = environment.pop(old, "")
        if value and environment.get(name):
            sentences.append(f"{old} is not read: {name} is set, its name since the product was renamed.")
        elif value:
            environment[name] = value
            sentences.append(f"{old} is read as {name}: the product was renamed; rename the variable.")
    return sentences
