"""A gallery as a static site, or as one file: an index of cards, and the whole screen for every sample.

A site is a folder: ``index.html``, ``samples/NAME.html`` with the data of one sample each, ``harmonylens/`` with the
script and the styles that they share, and the gallery itself as a bundle. It works from a disk and from any server of
files; nothing in it asks for anything elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ..gallery import Gallery, Sample, bundle
from ..gallery.bundle import SITE_BUNDLES
from ..renamed import NAME, NAMES
from ..view.assets import cards_style, page_style, screen_style
from ..view.bounds import MOST_DESCRIPTION, MOST_GALLERY_TITLE, cut
from .cards import gallery_items, gallery_page, gallery_title
from .html import Frame, blocks_of, cards_block, page, script_code
from .site_folder import MARK, Hashes, SiteError, SiteFolder
from .site_journal import JOURNAL
from .subject import inspected_sample
from .whole import left_out_because, packable, without

__all__ = ["ASSETS", "BUNDLE", "MARK", "Site", "SiteError", "build_page", "build_site"]

ASSETS: Final = NAME
"""The folder of the script and the styles."""

BUNDLE: Final = SITE_BUNDLES[0]
_RESERVED: Final = frozenset(("con", "prn", "aux", "nul")) | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(10)
}
_SHARED: Final[Mapping[str, Callable[[], str]]] = {
    f"{ASSETS}/page.js": script_code,
    f"{ASSETS}/page.css": page_style,
    f"{ASSETS}/screen.css": screen_style,
    f"{ASSETS}/cards.css": cards_style,
}
"""The files that all pages share, and what makes each."""

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Site:
    """What was written: files relative to the folder, their bytes in all, and a sentence for each sample left out."""

    files: tuple[str, ...]
    size: int
    left_out: tuple[str, ...] = ()


def _page_of(sample: Sample) -> str:
    """The file of a sample. Windows has names that no file may have, whatever comes after their full stop."""
    return f"samples/{sample.name}{'_' if sample.name in _RESERVED else ''}.html"


def _quiet(done: int, total: int) -> None:
    """Nobody wants to know how far it is."""


def _unheard(sentence: str) -> None:
    """Nobody wants to know what is left out."""


def build_site(gallery: Gallery, out: Path, *, force: bool = False, tell: Tell = _quiet) -> Site:
    """Write the site of ``gallery`` into the folder ``out``.

    A site that is there already is replaced: its files that are no longer needed are deleted, files of others stay, and
    so does what somebody has changed. Links in the folder are not followed. A build that was cut off can be repeated.

    Args:
        gallery: what to show.
        out: the folder; made when missing.
        force: write into a folder that holds other things, too.
        tell: called with the number of samples that are done, and of all.

    Raises:
        SiteError: ``out`` is no folder, cannot be written, or holds a link or something that is no site of ours.
        inspector.gallery.SampleError: the gallery is larger than a bundle may be.
    """
    written: dict[str, int] = {}
    try:
        whole: list[Sample] = []
        left_out: list[str] = []
        with SiteFolder(out) as folder:
            before = _before(folder, force)
            pages = map(_page_of, gallery.samples)
            folder.refuse_strangers((*_SHARED, *pages, "index.html", BUNDLE, MARK, JOURNAL), before, force=force)
            folder.begin()

            def put(name: str, data: bytes) -> None:
                folder.put(name, data)
                written[name] = len(data)

            for name, code in _SHARED.items():
                put(name, code().encode())
            for number, sample in enumerate(gallery.samples, 1):
                try:
                    subject = inspected_sample(sample)
                    frame = Frame("sample", subject.title, subject.name, home="../index.html", home_title="All samples",
                                  assets=f"../{ASSETS}")  # fmt: skip
                    made = page(frame, blocks_of(subject))
                    packable(sample)
                except Exception as error:  # noqa: BLE001
                    # The others are not to blame for it.
                    left_out.append(left_out_because(sample, error))
                else:
                    put(_page_of(sample), made)
                    whole.append(sample)
                tell(number, len(gallery.samples))
            gallery = without(gallery, whole, left_out)
            index = replace(_frame("index", gallery), assets=ASSETS, bundle=BUNDLE)
            put("index.html", page(index, iter([_cards(gallery, _page_of)])))
            put(BUNDLE, bundle(gallery))
            put(MARK, folder.mark())
            folder.clear(before)
            folder.finish()
            folder.remove_folders(name for name in NAMES if name != ASSETS)
    except OSError as error:
        raise SiteError(f"{out} cannot be written: {error.strerror or error}.") from error
    return Site(tuple(written), sum(written.values()), tuple(left_out))


def build_page(gallery: Gallery, *, tell: Tell = _quiet, tell_left_out: Callable[[str], None] = _unheard) -> bytes:
    """The gallery as one HTML file: the index, and every sample behind its address ``#NAME``.

    Args:
        gallery: what to show.
        tell: called with the number of samples that are done, and of all.
        tell_left_out: called with a sentence for each sample that cannot be shown.
    """
    blocks: list[str] = []
    whole: list[Sample] = []
    left_out: list[str] = []
    for number, sample in enumerate(gallery.samples, 1):
        try:
            blocks += list(blocks_of(inspected_sample(sample)))
            whole.append(sample)
        except Exception as error:  # noqa: BLE001
            # The others are not to blame for it.
            left_out.append(left_out_because(sample, error))
            tell_left_out(left_out[-1])
        tell(number, len(gallery.samples))
    gallery = without(gallery, whole, left_out)
    blocks.append(_cards(gallery, lambda sample: f"#{sample.name}"))
    return page(_frame("gallery", gallery), iter(blocks))


def _frame(kind: str, gallery: Gallery) -> Frame:
    return Frame(kind, cut(gallery.title, MOST_GALLERY_TITLE), about=cut(gallery.description, MOST_DESCRIPTION))


def _cards(gallery: Gallery, href: Callable[[Sample], str]) -> str:
    """The script element with the cards of the index."""
    items = gallery_items(gallery, lambda _, sample: sample.name, lambda _, sample: href(sample))
    content = gallery_page([(gallery, items)])
    # The page's heading says whose they are.
    whose = gallery_title(gallery)
    for group in content["groups"]:
        group["title"] = group["title"].removeprefix(whose).removeprefix(" · ") or "Samples"
    return cards_block(content)


def _before(folder: SiteFolder, force: bool) -> dict[str, Hashes]:
    """The files of the site that is there, with their hashes; none for a folder that is empty.

    Raises:
        SiteError: it holds something else.
    """
    marked = folder.marked()
    if marked is None and not force and not folder.is_empty():
        raise SiteError(f"{folder.shown} is not empty and holds no site of ours: name another folder, or pass --force.")
    return marked or {}
