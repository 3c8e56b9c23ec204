"""The section "Probabilities" as Streamlit runs it: closed it costs nothing, open it draws what is known."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from inspector.tokens import vocabulary
from inspector.ui.component import HELD_FROM
from inspector.ui.state import Bench
from inspector.view.container import MAGIC

TEXT = "<|channel|>analysis<|channel|>commentary<|message|>Run <b>them</b>.<|end|>"


@pytest.fixture
def app(root: Path) -> AppTest:
    return AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)


def submit(app: AppTest, text: str) -> Bench:
    app.run()
    app.text_area[0].set_value(text)
    next(b for b in app.button if b.label == "Inspect").click()
    app.run()
    assert not app.exception
    found = app.session_state["harmonylens.bench"]
    assert isinstance(found, Bench)
    return found


def parts(app: AppTest) -> dict[str, Any]:
    """The JSON messages by what they are: parts by their names, the feed as ""."""
    sent = [bytes(element.proto.bytes) for element in app.get("bidi_component")]
    bodies = [json.loads(data) for data in sent if data[:4] != MAGIC]
    return {body.get("part", ""): body for body in bodies}


def record(**more: Any) -> str:
    """A synthetic record: made-up probabilities, the same for each token."""
    ids = vocabulary().encode_markers(TEXT)
    return json.dumps({"id": "made up", "token_ids": ids, "role": "assistant", **more})


def figures(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def test_without_logprobs_there_is_one_line(app: AppTest) -> None:
    submit(app, TEXT)
    assert [e.label for e in app.expander] == []
    assert any(caption.value.startswith("No plots:") for caption in app.caption)


def test_closed_it_draws_nothing_and_open_what_is_known(app: AppTest) -> None:
    count = len(vocabulary().encode_markers(TEXT))
    work = submit(app, record(logprobs=[math.log(0.25)] * count))
    assert [e.label for e in app.expander] == ["Probabilities"]
    assert figures(app) == []
    app.session_state["plots"] = True
    app.run()
    # Without alternatives there is no entropy, and of each place of structure one probability is known.
    trace, _, structure = figures(app)
    assert [(curve["name"], set(curve["y"])) for curve in trace["data"]] == [("surprise", {2.0})]
    assert set(structure["data"][2]["y"]) == {0.75}
    # Before a token was chosen: the one at which the screen opens.
    assert any(caption.value.startswith("Token ") for caption in app.caption)
    digest = parts(app)[""]["digest"]
    work.take_selection({"digest": digest, "token": 0})
    app.run()
    again, chosen, bars = figures(app)
    # What does not follow the choice stays the same to the byte, and is long enough to be sent once.
    assert (again, bars) == (trace, structure)
    assert all(len(element.proto.spec) >= HELD_FROM for element in (app.get("plotly_chart")[n] for n in (0, 2)))
    assert len(app.get("plotly_chart")[1].proto.spec) < 3000
    assert chosen["data"][0]["x"] == [0.25]
    assert chosen["layout"]["yaxis"]["ticktext"] == ["▸ &lt;|channel|&gt; 200005"]


def test_a_point_asks_the_screen_once(app: AppTest) -> None:
    work = submit(app, record(logprobs=[-1.0] * len(vocabulary().encode_markers(TEXT))))
    assert "go" not in parts(app)
    digest = parts(app)[""]["digest"]
    work.point_at(digest, 5)
    app.run()
    first = parts(app)["go"]["value"]
    assert (first["token"], first["known"]) == (5, True)
    app.run()
    assert parts(app)["go"]["value"] == first
    work.point_at(digest, 5)
    app.run()
    assert parts(app)["go"]["value"]["number"] != first["number"]
