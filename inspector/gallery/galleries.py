"""Several galleries at once: the one that ships, those that were configured, and how a sample among them is found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ..renamed import variable
from .bundle import Gallery, open_gallery, printable
from .record import address_name
from .sample import Sample, SampleError
from .store import load_what_can_be

ENVIRONMENT: Final = "HARMONYLENS_GALLERIES"
"""Names the variable with the paths of the galleries that are open for everybody, separated as in ``PATH``."""

SHIPPED: Final = "shipped"
"""The name of the gallery that ships. Its samples' addresses are their bare names."""

SAVED: Final = "saved"
"""The name of the gallery of what people have saved, whose samples have addresses of their own."""

_STATE: Final[dict[Path, tuple[object, Gallery]]] = {}


@lru_cache(maxsize=1)
def shipped_gallery() -> Gallery:
    """The samples that ship; its ``problems`` name those that cannot be read.

    Raises:
        SampleError: there are none, which only a broken installation explains.
    """
    samples, problems = load_what_can_be()
    return Gallery(
        name=SHIPPED,
        title="harmonylens",
        description="Every error text of the report that started this project, and every kind of damage.",
        samples=tuple(samples),
        problems=tuple(problems),
    )


def configured_galleries(environment: Mapping[str, str] | None = None) -> tuple[Gallery, ...]:
    """The galleries that :data:`ENVIRONMENT` names, read again when their files have changed.

    One that cannot be read is there without samples; its ``problems`` say why.
    """
    named = variable(ENVIRONMENT) if environment is None else environment.get(ENVIRONMENT, "")
    galleries: list[Gallery] = []
    for path in dict.fromkeys(Path(entry).expanduser().absolute() for entry in named.split(os.pathsep) if entry):
        galleries.append(with_free_name(_opened(path), [SHIPPED, SAVED, *(gallery.name for gallery in galleries)]))
    return tuple(galleries)


def configure(paths: Iterable[str]) -> None:
    """Add galleries to those that :data:`ENVIRONMENT` names, for this process and those that it starts."""
    named = [entry for entry in variable(ENVIRONMENT).split(os.pathsep) if entry]
    # Absolute: a process that is started from here may look from another folder.
    wanted = [*named, *(str(Path(path).expanduser().absolute()) for path in paths)]
    if wanted:
        os.environ[ENVIRONMENT] = os.pathsep.join(wanted)


def with_free_name(gallery: Gallery, taken: Iterable[str]) -> Gallery:
    """The gallery under a name that is none of ``taken``."""
    names = set(taken)
    if gallery.name not in names:
        return gallery
    number = next(n for n in range(2, len(names) + 3) if f"{gallery.name}-{n}" not in names)
    return gallery.under(f"{gallery.name}-{number}")


def sample_address(gallery: Gallery, sample: Sample) -> str:
    """What ``?sample=`` names this sample by."""
    return sample.name if gallery.name == SHIPPED else f"{gallery.name}:{sample.name}"


def sample_link(gallery: Gallery, sample: Sample) -> str:
    """The link in the app that opens this sample."""
    return f"./?sample={quote(sample_address(gallery, sample), safe=':-')}"


def find_in(galleries: Sequence[Gallery], address: str) -> Sample | None:
    """The sample that ``GALLERY:NAME`` or a bare ``NAME`` names.

    A bare name is looked for in the order of ``galleries``: what ships comes first and wins.
    """
    wanted, colon, name = address.partition(":")
    for gallery in galleries:
        if not colon or gallery.name == wanted:
            found = gallery.by_name.get(name if colon else wanted)
            if found is not None:
                return found
    return None


def _opened(path: Path) -> Gallery:
    state = _fingerprint(path)
    known = _STATE.get(path)
    if known is not None and known[0] == state:
        return known[1]
    try:
        gallery = open_gallery(path)
    except SampleError as error:
        gallery = Gallery(address_name(path.stem), printable(path.name), "", (), (str(error),))
    except Exception as error:  # noqa: BLE001
        # One gallery that cannot be opened is no reason for a page without the others.
        sentence = f"{printable(path.name)}: cannot be opened ({type(error).__name__}: {printable(str(error))})."
        gallery = Gallery(address_name(path.stem), printable(path.name), "", (), (sentence,))
    _STATE[path] = (state, gallery)
    return gallery


def _fingerprint(path: Path) -> object:
    """Something that differs once a file of the gallery has changed."""
    try:
        if not path.is_dir():
            status = path.stat()
            return status.st_mtime_ns, status.st_size
        found = []
        for folder, _, names in os.walk(path):
            found += [_fingerprint(Path(folder, name)) for name in sorted(names)]
        return tuple(found)
    except OSError as error:
        return error.errno
