"""Samples as cards, and galleries as a page of them: what ``view/cards`` draws in the app and in the static site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from ..gallery import FAMILIES, Gallery, Sample
from ..gallery.galleries import SHIPPED
from ..harmony.reader import read
from ..harmony.tree import Tree
from ..inspection import inspect
from ..tokens import is_special, vocabulary
from ..unread import defect
from ..view.bounds import MOST_DESCRIPTION, MOST_GALLERY_TITLE, MOST_STORY, MOST_TITLE, MOST_WORDS, cut, cut_words
from ..view.strip import quick_strip, shape, strip
from .findings import findings
from .rules import all_rules
from .visible import visible

OUTCOMES: Final = {
    "raises": "strict parsers raise",
    "silent": "damaged, yet accepted",
    "drifts": "next prompt differs",
    "healthy": "healthy",
}
"""What becomes of a transcript, and how a filter says it."""

DAMAGED: Final = "damaged"
"""The outcome of a card whose sample could not be read; its story says why."""

MOST_INSPECTED: Final = 150_000
"""Tokens of a gallery's plain records that are inspected, so that rules can be told: a few seconds' worth."""

MOST_READ: Final = 300_000
"""Tokens of a gallery that are read for its strips; what comes after them is drawn by its markers alone."""

MOST_SEARCHED: Final = 3_000_000
"""Characters of a gallery's transcripts that can be searched in the browser."""

_LONGEST_STORY: Final = 600
_LONGEST_FAMILY: Final = 80

Address = Callable[[Gallery, Sample], str]


@dataclass(slots=True)
class _Budget:
    """What may still be spent on a gallery, in tokens; characters are for each sample."""

    inspected: int = MOST_INSPECTED
    read: int = MOST_READ
    characters: int = 20_000

    def inspects(self, count: int) -> bool:
        """Whether a transcript of so many tokens is inspected; then they are spent."""
        if count > self.inspected:
            return False
        self.inspected -= count
        return True

    def reads(self, count: int) -> bool:
        """Whether a transcript of so many tokens is read; then they are spent."""
        if count > self.read:
            return False
        self.read -= count
        return True


def sample_card(sample: Sample) -> dict[str, Any]:
    """One sample as its card shows it; JSON-serialisable."""
    try:
        return _card(sample, _Budget())
    except Exception as error:  # noqa: BLE001
        # It can be saved all the same: its tokens are what counts.
        return _damaged(sample, error)


def gallery_items(gallery: Gallery, address: Address, href: Address) -> list[dict[str, Any]]:
    """The cards of a gallery, in its order, with what they are filtered by.

    Args:
        gallery: whose samples.
        address: what opens a sample in the app, unique over all galleries.
        href: the link of its card.
    """
    budget = _Budget(characters=min(20_000, MOST_SEARCHED // max(1, len(gallery.samples))))
    items = []
    for sample in gallery.samples:
        try:
            card = _card(sample, budget)
            words = _searched(sample, card, budget)
        except Exception as error:  # noqa: BLE001
            # Whatever it is: the others are not to blame for it.
            card, words = _damaged(sample, error), (sample.name,)
        items.append(
            {
                **card,
                "name": address(gallery, sample),
                "href": href(gallery, sample),
                "gallery": gallery.name,
                "marks": [card["outcome"]],
                "search": " ".join(" ".join(words).lower().split()),
            }
        )
    return items


def _searched(sample: Sample, card: dict[str, Any], budget: _Budget) -> tuple[str, ...]:
    """What a card is found by."""
    return (
        sample.name,
        cut(sample.title, MOST_TITLE),
        cut(sample.story, MOST_STORY),
        card["family"],
        *cut_words(sample.tags),
        *card["rules"],
        *(cut(text, _LONGEST_STORY) for text in islice(sample.errors.values(), MOST_WORDS)),
        _text(sample.transcript.ids[: budget.characters])[: budget.characters],
    )


def gallery_groups(gallery: Gallery, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cards under headings: what ships by family, others under their own title."""
    families = list(dict.fromkeys(_family(sample) for sample in gallery.samples))
    if gallery.name == SHIPPED:
        families.sort(key=lambda family: list(FAMILIES).index(family))
    groups = []
    for family in families:
        words = FAMILIES.get(family, visible(family))
        title = words if gallery.name == SHIPPED else " · ".join(filter(None, (gallery_title(gallery), words)))
        groups.append({"title": title, "items": [item for item in items if item["family"] == family]})
    return groups


def gallery_page(
    galleries: Iterable[tuple[Gallery, Sequence[dict[str, Any]]]],
    *,
    closable: Sequence[str] = (),
    opened: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """The content of a page of galleries, as JSON.

    Args:
        galleries: each with its :func:`gallery_items`, in the order of the page.
        closable: names of those that a person can close.
        opened: the one that was opened last, and a mark by which the browser tells that it has not shown it yet.
    """
    listed = list(galleries)
    rules = all_rules()
    has_damage = any(item["outcome"] == DAMAGED for _, items in listed for item in items)
    occurring = {code for _, items in listed for item in items for code in item["rules"]}
    return {
        "kind": "gallery",
        "galleries": [
            [
                gallery.name,
                gallery_title(gallery),
                visible(cut(gallery.description, MOST_DESCRIPTION)),
                gallery.name in closable,
            ]
            for gallery, _ in listed
        ],
        "opened": opened,
        "groups": [group for gallery, items in listed for group in gallery_groups(gallery, items)],
        "rules": [[code, rules[code].name if code in rules else ""] for code in sorted(occurring)],
        "kinds": _kinds(listed),
        "outcomes": [[name, title] for name, title in OUTCOMES.items()] + [[DAMAGED, "damaged"]] * has_damage,
        "none": "No sample fits all of these. Clear a filter to see more.",
    }


def gallery_title(gallery: Gallery) -> str:
    """What a page calls a gallery."""
    return visible(cut(gallery.title, MOST_GALLERY_TITLE))


def _family(sample: Sample) -> str:
    return cut(sample.family, _LONGEST_FAMILY)


def _text(ids: Sequence[int]) -> str:
    """The text between the markers: their names stand in every transcript, and would make "channel" fit them all."""
    pieces, first = [], 0
    for at in (*(index for index, token in enumerate(ids) if is_special(token)), len(ids)):
        pieces.append(vocabulary().decode(ids[first:at]))
        first = at + 1
    return " ".join(filter(None, pieces))


def _kinds(listed: Sequence[tuple[Gallery, Sequence[dict[str, Any]]]]) -> list[list[str]]:
    """The families that occur, those that ship first and in their order, with words for them."""
    present = dict.fromkeys(item["family"] for _, items in listed for item in items if item["family"])
    known = [family for family in FAMILIES if family in present]
    others = sorted(family for family in present if family not in FAMILIES)
    return [[family, FAMILIES[family]] for family in known] + [[family, visible(family)] for family in others]


def _damaged(sample: Sample, error: Exception) -> dict[str, Any]:
    """The card of a sample that we fail at: it says so."""
    return {
        "name": sample.name,
        "title": visible(cut(sample.title, MOST_TITLE)),
        "story": visible(defect(error, "reading this sample")),
        "family": _family(sample),
        "tags": [],
        "rules": [],
        "count": len(sample.transcript),
        "raises": [],
        "outcome": DAMAGED,
        "founding": 0,
        "shape": [],
        "strip": {"k": "", "w": [], "c": [], "e": [], "t": []},
    }


def _card(sample: Sample, budget: _Budget) -> dict[str, Any]:
    rules, raises, known = [*sample.rules, *sample.drift], sorted(sample.errors), sample.stated
    tree: Tree | None = None
    if not sample.stated and budget.inspects(len(sample.transcript)):
        inspection = inspect(sample.transcript, next_prompt=False)
        rules = [found.code for found in findings(inspection)]
        raises = sorted({v.release for v in inspection.strict if v.mode == "strict" and v.error is not None})
        tree, known = inspection.tree, True
    elif budget.reads(len(sample.transcript)):
        tree = read(sample.transcript)
    return {
        "name": sample.name,
        "title": visible(cut(sample.title, MOST_TITLE)),
        "story": visible(cut(sample.story, _LONGEST_STORY)),
        "family": _family(sample),
        "tags": [visible(tag) for tag in cut_words(sample.tags)],
        "rules": [visible(code) for code in cut_words(sorted(set(rules)))],
        "count": len(sample.transcript),
        "raises": [visible(release) for release in cut_words(raises)],
        "outcome": _outcome(sample, rules, raises) if known else "",
        "founding": sample.founding,
        "shape": [visible(words) for words in shape(tree)] if tree is not None else [],
        "strip": strip(tree) if tree is not None else quick_strip(sample.transcript.ids),
    }


def _outcome(sample: Sample, rules: Sequence[str], raises: Sequence[str]) -> str:
    if raises:
        return "raises"
    if any(not code.startswith("HS7") for code in rules):
        return "silent"
    return "drifts" if rules else "healthy"
