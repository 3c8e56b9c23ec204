"""The export panel without a browser: what it exports is what is on screen, and files open again as they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from inspector.gallery import load_sample
from inspector.ingest import Card, Switches, card_of, read, switches_of
from inspector.inspection import NEWEST, RELEASES, inspect
from inspector.report.exports import FORMATS
from inspector.report.record import inspection_record
from inspector.report.subject import inspected
from inspector.ui.checks import known_checks
from inspector.ui.export_panel import OPEN, exported
from inspector.ui.inspecting import Given
from inspector.ui.state import Bench
from inspector.view.viewmodel import digest

NAME = "duplicate-channel-lost-call"


@pytest.fixture
def app(root: Path) -> AppTest:
    return AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)


def opened(app: AppTest) -> AppTest:
    app.query_params["sample"] = NAME
    app.run()
    app.session_state[OPEN] = True
    return app.run()


def test_the_panel_offers_every_format(app: AppTest) -> None:
    opened(app)
    assert not app.exception
    shown = [element.proto.label for element in app.get("download_button")]
    assert [label for label in shown if label in {form.title for form in FORMATS.values()}] == [
        form.title for form in FORMATS.values()
    ]


def test_nothing_is_drawn_while_the_panel_is_closed(app: AppTest) -> None:
    app.query_params["sample"] = NAME
    app.run()
    assert not [e for e in app.get("download_button") if e.proto.label == "HTML page"]


def shown(switches: Switches) -> tuple[Bench, Given]:
    """A bench with a sample under switches, as the page would have it."""
    sample = load_sample(NAME)
    name = digest(sample.transcript)
    work = Bench(sample=NAME, off={name: switches.off}, choices={name: dict(switches.choices)},
                 style=switches.style or NEWEST)  # fmt: skip
    return work, Given(b"", b"", inspect(sample.transcript, **switches.options(RELEASES)))


def test_what_is_exported_is_what_is_on_screen() -> None:
    work, given = shown(Switches(off=frozenset({"HS201@18"}), style="vLLM 0.32"))
    subject = exported(work, given)
    assert subject.name == NAME
    assert subject.card.title == "The same channel twice, and no tool name"
    assert subject.sample is not None
    assert subject.inspection.repair.edits == ()
    for form in ("html", "json", "bundle"):
        (transcript,) = read(FORMATS[form].write(subject)).transcripts
        assert switches_of(transcript) == Switches(off=frozenset({"HS201@18"}), style="vLLM 0.32")
        again = inspect(transcript, **switches_of(transcript).options(RELEASES))
        assert again.repair == given.inspection.repair
        assert again.next_prompt == given.inspection.next_prompt


def test_a_sample_that_was_changed_is_no_longer_the_sample() -> None:
    work, given = shown(Switches())
    other = inspect(given.inspection.transcript, tools=("functions.other",))
    subject = exported(work, Given(b"", b"", other))
    assert subject.sample is None
    assert json.loads(FORMATS["json"].write(subject))["tools"][-1] == "functions.other"


@pytest.mark.parametrize("form", ["html", "json", "bundle"])
def test_an_exported_file_opens_with_its_switches(app: AppTest, form: str) -> None:
    sample = load_sample(NAME)
    chosen = Switches(off=frozenset({"HS201@18"}), style="vLLM 0.32")
    subject = inspected(sample.transcript, chosen, card=Card("Mine", "A story."))
    data = FORMATS[form].write(subject)
    app.run()
    work = app.session_state["harmonylens.bench"]
    work.open_file(data, f"mine{FORMATS[form].suffix}")
    app.run()
    assert not app.exception
    held = app.session_state["harmonylens.held"]
    assert work.off[held.given.digest] == {"HS201@18"}
    assert work.style == "vLLM 0.32"
    told = held.given.inspection
    assert (card_of(told.transcript).title, told.repair.edits) == ("Mine", ())
    wanted, found = inspection_record(subject.inspection), inspection_record(told)
    assert found == wanted


def test_checks_that_nobody_made_are_not_claimed() -> None:
    assert known_checks(inspect("<|channel|>final<|message|>x<|return|>")) == {}
