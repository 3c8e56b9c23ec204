"""What leaves: exports, reports, cards, histograms, and the messages that the screen is drawn from."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from inspector import Inspection, inspect
from inspector.gallery import Gallery, Sample
from inspector.ingest import Card
from inspector.report.cards import gallery_items, gallery_page
from inspector.report.exports import FORMATS
from inspector.report.markdown import escaped, fenced
from inspector.report.record import dump, inspection_record
from inspector.report.site import build_page, build_site
from inspector.report.subject import Subject, inspected
from inspector.report.terminal import ALL, print_report
from inspector.report.visible import clip, visible, wrap
from inspector.scan.histogram import Histogram
from inspector.scan.running import ScanResult
from inspector.scan.tally import Tally, tally
from inspector.tokens import Transcript, vocabulary
from inspector.ui.plain import as_markdown
from inspector.view.feed import Settings, pack_change, pack_feed
from inspector.view.glyphs import characters_over_tokens, look_alikes
from inspector.view.plots import entropy, envelope, places, surprise, telling
from inspector.view.splices import apply_splices, splices
from inspector.view.steps import steps_value
from inspector.view.strip import quick_strip, shape, strip
from inspector.view.viewmodel import apply_appendix, pack_appendix, pack_view, view_of

from .harness import Case, add, case

# Transcripts of about n tokens


def _encoded(text: str) -> tuple[int, ...]:
    return tuple(vocabulary().encode_markers(text))


def _times(n: int, text: str) -> tuple[int, ...]:
    """A piece of transcript, as often as n tokens take."""
    one = _encoded(text)
    return one * max(1, n // len(one))


_FINAL: Final = "<|channel|>final<|message|>Done.<|return|>"


def _damaged(n: int) -> tuple[int, ...]:
    """A finding and two differences of the next prompt in every message."""
    one = "<|channel|>commentary to=functions.a code<|message|>{}<|end|><|start|>assistant"
    return _times(n, one) + _encoded(_FINAL)


def _raising(n: int) -> tuple[int, ...]:
    """Every message breaks the strict parser."""
    one = "<|channel|>analysis<|channel|>commentary to=functions.a<|message|>{}<|call|><|start|>assistant"
    return _times(n, one) + _encoded(_FINAL)


def _healthy(n: int) -> tuple[int, ...]:
    one = "<|channel|>analysis<|message|>Now that.<|end|><|start|>assistant"
    return _times(n, one) + _encoded(_FINAL)


def _huge(n: int) -> tuple[int, ...]:
    return _encoded("<|channel|>final<|message|>") + _times(n, "One word after another,\n") + _encoded("<|return|>")


def _hostile(n: int) -> tuple[int, ...]:
    """Text that reorders lines, prints nothing, closes scripts and fences, steers terminals."""
    one = (
        "\u202e</script><!-- ```` ~~~ |\x1b[31m\x00\u200b\ufeff<b>\\`*_[x](javascript:1)"
        "\u2028\r \U0001f1e9\U0001f1ea e\u0301\u0301"
    )
    return _encoded("<|channel|>final<|message|>") + _times(n, one) + _encoded("<|return|>")


def _alike(n: int) -> tuple[int, ...]:
    """Markers that are spelled out."""
    one = tuple(vocabulary().encode("<|channel|>"))
    return _encoded("<|channel|>final<|message|>") + one * max(1, n // len(one)) + _encoded("<|return|>")


def _long_header(n: int) -> tuple[int, ...]:
    return _encoded("<|channel|>analysis") + _times(n, " word") + _encoded("<|message|>x<|return|>")


def _unknown(n: int) -> tuple[int, ...]:
    """Ids that are no tokens, among those that are."""
    return (*_encoded("<|channel|>final<|message|>"), *(900_000 + i for i in range(n)), *_encoded("<|return|>"))


def _bytes(n: int) -> tuple[int, ...]:
    """Bytes that are no text."""
    lone = vocabulary().encode_bytes(b"\xf0\x9f\xff") if hasattr(vocabulary(), "encode_bytes") else (160, 253, 187)
    return _encoded("<|channel|>final<|message|>") + tuple(lone) * (n // len(lone)) + _encoded("<|return|>")


def _tools(n: int) -> tuple[int, ...]:
    """A whole conversation: many tools are declared, each is called."""
    count = max(2, n // 40)
    declared = "".join(f"// One.\ntype tool{i} = (_: {{\na: string,\n}}) => any;\n\n" for i in range(count))
    called = "".join(
        f"<|start|>assistant<|channel|>commentary to=functions.tool{i} <|constrain|>json<|message|>{{}}<|call|>"
        for i in range(count)
    )
    begin = "<|start|>developer<|message|># Tools\n\n## functions\n\nnamespace functions {\n\n"
    return _encoded(f"{begin}{declared}}} // namespace functions<|end|>{called}")


_INPUTS: Final[dict[str, Callable[[int], tuple[int, ...]]]] = {
    "damaged": _damaged,
    "raising": _raising,
    "healthy": _healthy,
    "huge_message": _huge,
    "hostile_text": _hostile,
    "look_alikes": _alike,
    "long_header": _long_header,
    "unknown_ids": _unknown,
    "broken_bytes": _bytes,
    "many_tools": _tools,
}


@lru_cache(maxsize=4)
def _inspection(kind: str, n: int, off: Collection[str] = ()) -> Inspection:
    ids = _INPUTS[kind](n)
    return inspect(Transcript(ids, role=None if kind == "many_tools" else "assistant"), off=off)


@lru_cache(maxsize=2)
def _subject(kind: str, n: int) -> Subject:
    ids = _INPUTS[kind](n)
    return inspected(Transcript(ids, role=None if kind == "many_tools" else "assistant"))


def _made(make: Callable[[str, int], Any], kind: str) -> Callable[[int], Any]:
    return lambda n: make(kind, n)


# Exports: each format of each kind of transcript


def _exported(*names: str) -> Callable[[Subject], None]:
    def write(subject: Subject) -> None:
        for name in names:
            FORMATS[name].write(subject)

    return write


for _kind in _INPUTS:
    add(Case(f"pages_of_{_kind}", _made(_subject, _kind), _exported("html", "bundle"), 2_000, 4_000))
    add(Case(f"texts_of_{_kind}", _made(_subject, _kind), _exported("markdown", "pytest", "sarif", "json"), 500, 4_000))


# Reports


def _report(inspection: Inspection) -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="standard")
    print_report(inspection, console, limits=ALL)


for _kind in ("damaged", "raising", "hostile_text", "long_header", "many_tools", "huge_message"):
    add(Case(f"report_of_{_kind}", _made(_inspection, _kind), _report, 500, 2_000))


@case(lambda inspection: dump(inspection_record(inspection)), n=2_000, most=16_000)
def record_of_much_drift(n: int) -> Inspection:
    return _inspection("damaged", n)


_LINE: Final = "\u202eone \x1b[0m \u200b`<&>` e\u0301 \U0001f469\u200d\U0001f469 "


@case(lambda text: (visible(text), wrap(visible(text), 80), clip(visible(text), 80)), n=4_000)
def visible_hostile_text(n: int) -> str:
    return _LINE * (n // len(_LINE))


@case(lambda text: wrap(text, 80), n=4_000)
def wrapped_without_a_blank(n: int) -> str:
    return "x" * n


@case(lambda text: wrap(text, 80), n=4_000)
def wrapped_blanks(n: int) -> str:
    return " " * n


@case(lambda text: (escaped(text), fenced(text), as_markdown(text)), n=16_000)
def markdown_of_backticks(n: int) -> str:
    return "`" * n + "".join("`" * (i % 50) + "x" for i in range(n // 25))


@case(lambda text: (escaped(text), fenced(text), as_markdown(text)), n=16_000)
def markdown_of_addresses(n: int) -> str:
    return "http://www.a@b.c https" * (n // 22)


@case(as_markdown, n=16_000)
def markdown_of_half_addresses(n: int) -> str:
    return "@" + "a-" * (n // 2)


# Cards and galleries


def _sample(number: int, **words: Any) -> Sample:
    ids = _encoded("<|channel|>commentary to=functions.a code<|message|>{}<|end|>")
    given: dict[str, Any] = {
        "name": f"sample-{number}", "title": f"Sample {number}", "story": "It broke.", "family": f"Family {number % 7}",
        "transcript": Transcript((*ids, number)), "expected": (), "tags": ("one", f"tag-{number}"), "stated": False,
    }  # fmt: skip
    return Sample(**(given | words))


@cache
def _gallery(count: int) -> Gallery:
    return Gallery("many", "Many", "", tuple(_sample(i) for i in range(count)))


def _cards(gallery: Gallery) -> None:
    gallery_page([(gallery, gallery_items(gallery, lambda _, sample: sample.name, lambda _, sample: sample.name))])


@case(_cards, n=100, most=1_000)
def cards_of_many_samples(n: int) -> Gallery:
    return _gallery(n)


@case(_cards, n=2, most=16)
def cards_of_long_words(n: int) -> Gallery:
    long = "word " * (400 * n)
    return Gallery("long", long, long, (_sample(1, title=long, story=long, family=long, tags=(long,)),) * n)


@case(_cards, n=2_000, most=64_000)
def cards_of_many_tags(n: int) -> Gallery:
    return Gallery("tags", "", "", (_sample(1, tags=tuple(f"tag-{i}" for i in range(n))),))


@case(_cards, n=2_000, most=64_000)
def cards_of_a_long_sample(n: int) -> Gallery:
    return Gallery("one", "", "", (_sample(1, transcript=Transcript(_damaged(n))),))


@case(build_page, n=4, most=64)
def page_of_many_samples(n: int) -> Gallery:
    return _gallery(n)


def _site(gallery: Gallery) -> None:
    with tempfile.TemporaryDirectory() as folder:
        build_site(gallery, Path(folder) / "site")


@case(_site, n=4, most=64)
def site_of_many_samples(n: int) -> Gallery:
    return _gallery(n)


def _long_story(n: int) -> Subject:
    long = "A long word | `of` <b>many</b>\n" * (n // 30)
    card = Card(long[:200], long, tuple(f"tag-{i}" for i in range(n // 10)))
    return replace(_subject("damaged", 100), card=card)


for _form in FORMATS.values():
    add(Case(f"export_{_form.name}_of_a_long_story", _long_story, _form.write, 8_000, 128_000))


# Histograms

_RELEASE: Final = "oss-harmony 0.0.11"


@case(lambda results: (Histogram.of(results).rows(), Histogram.of(results).record()), n=1_000)
def histogram_of_many_errors(n: int) -> list[ScanResult]:
    return [
        ScanResult(
            i,
            f"line {i}",
            "",
            tally=Tally(strict=((_RELEASE, f"error {i}"),), asked=(_RELEASE,), rules=()),
        )
        for i in range(n)
    ]


@case(lambda results: Histogram.of(results).rows(), n=1_000)
def histogram_of_unreadable_lines(n: int) -> list[ScanResult]:
    return [ScanResult(i, f"line {i}", "", error=f"line {i}: this is no JSON {i}") for i in range(n)]


@case(tally, n=2_000, most=4_000)
def tally_of_many_findings(n: int) -> Inspection:
    return _inspection("raising", n)


# The screen


def _feed(inspection: Inspection) -> bytes:
    return pack_feed(inspection, Settings())


for _kind in _INPUTS:
    add(Case(f"view_of_{_kind}", _made(_inspection, _kind), pack_view, 4_000, 8_000))
    add(Case(f"feed_of_{_kind}", _made(_inspection, _kind), _feed, 2_000, 4_000))


def _switched(given: tuple[Inspection, bytes]) -> None:
    inspection, base = given
    pack_change(inspection, Settings(), base)


@case(_switched, n=2_000, most=16_000)
def feed_after_every_switch(n: int) -> tuple[Inspection, bytes]:
    before = pack_feed(_inspection("damaged", n), Settings())
    return _inspection("damaged", n, frozenset(("HS404",))), before


@case(_switched, n=2_000, most=16_000)
def feed_after_every_second_switch(n: int) -> tuple[Inspection, bytes]:
    whole = _inspection("raising", n)
    off = frozenset(found.key for found in whole.diagnostics[::2])
    return _inspection("raising", n, off), pack_feed(whole, Settings())


@case(lambda rows: apply_splices(rows[0], splices(rows[0], rows[1])), n=500)
def splices_of_rows_that_are_alike(n: int) -> tuple[list[Any], list[Any]]:
    return [[0, 1]] * n + [[2, 2]], [[3, 3], *[[0, 1]] * (n // 2), [5, 5], *[[0, 1]] * (n // 2)]


@case(lambda rows: apply_splices(rows[0], splices(rows[0], rows[1])), n=500)
def splices_of_rows_in_two_kinds(n: int) -> tuple[list[Any], list[Any]]:
    one = [[i % 2, 1] for i in range(n)]
    return one, [[9], *one[::-1], [8], *one, [7]]


@case(lambda pair: apply_appendix(pair[0], pack_appendix(*pair)), n=4_000, most=4_000)
def view_that_grows(n: int) -> tuple[Any, Any]:
    ids = _damaged(n)
    begin, now = inspect(Transcript(ids[: n // 2])), inspect(Transcript(ids))
    return view_of(begin, stream="one"), view_of(now, stream="one")


@case(lambda inspection: (strip(inspection.tree), shape(inspection.tree)), n=8_000, most=8_000)
def strip_of_many_messages(n: int) -> Inspection:
    return _inspection("raising", n)


@case(quick_strip, n=16_000, most=128_000)
def strip_of_markers_alone(n: int) -> tuple[int, ...]:
    return _damaged(n)


for _kind in ("damaged", "raising", "long_header", "many_tools"):
    add(Case(f"steps_of_{_kind}", _made(_inspection, _kind), steps_value, 1_000, 4_000))


def _drawn_together(ids: tuple[int, ...]) -> None:
    characters_over_tokens(ids)
    look_alikes(ids)


def _row(text: str, n: int) -> tuple[int, ...]:
    return tuple(vocabulary().encode(text * n))


for _name, _text in {
    "rows_of_flags": "\U0001f1e9",
    "many_marks": "\u0301",
    "joiners": "\u200d",
    "joined_emoji": "\U0001f469\u200d",
    "jamo": "\u1100",
    "conjuncts": "\u0915\u094d",
    "prepended": "\u0600",
    "half_markers": "<|channel",
    "opened_markers": "<|",
}.items():
    add(Case(f"view_{_name}", _made(_row, _text), _drawn_together, 2_000, 32_000))


@case(lambda transcript: (entropy(transcript), envelope(surprise(transcript))), n=4_000, most=64_000)
def plots_of_logprobs(n: int) -> Transcript:
    ids = _healthy(n)
    top = tuple(tuple((other, -1.0 * k) for k, other in enumerate((id, 5, 6, 7))) for id in ids)
    return Transcript(ids, logprobs=(-0.5,) * len(ids), top=top)


@case(lambda inspection: telling(places(inspection)), n=2_000, most=32_000)
def places_of_plots(n: int) -> Inspection:
    ids = _raising(n)
    top = tuple(((id, -0.1), (200_005, -2.5)) for id in ids)
    return inspect(Transcript(ids, logprobs=(-0.1,) * len(ids), top=top))
