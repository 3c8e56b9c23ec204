"""The Gallery page with several galleries, without a browser: what is mounted, found and handed over."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from inspector.gallery import SampleError, load_samples, open_gallery, read_gallery, sample_record
from inspector.gallery.galleries import ENVIRONMENT
from inspector.ui.gallery_page import chosen_gallery

SAMPLES = load_samples()


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "team.jsonl"
    rows = [
        {**sample_record(SAMPLES[0]), "title": "Ours"},
        {"id": "Run 7", "token_ids": [200005, 35644], "tags": ["n"]},
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n{broken\n")
    monkeypatch.setenv(ENVIRONMENT, os.pathsep.join([str(path), str(tmp_path / "nowhere")]))
    return path


@pytest.fixture
def app(root: Path) -> AppTest:
    return AppTest.from_file(root / "inspector" / "app.py", default_timeout=60)


def on_gallery(app: AppTest, root: Path) -> AppTest:
    app.run()
    app.switch_page(str(root / "pages" / "gallery.py")).run()
    assert not app.exception
    return app


def page_of(app: AppTest) -> dict[str, Any]:
    data = [bytes(element.proto.bytes) for element in app.get("bidi_component")]
    (page,) = (json.loads(body) for body in data if b'"kind":"gallery"' in body)
    assert isinstance(page, dict)
    return page


def test_configured_galleries_stand_before_what_ships(app: AppTest, root: Path, team: Path) -> None:
    page = page_of(on_gallery(app, root))
    assert [gallery[0] for gallery in page["galleries"]] == ["team", "shipped"]
    assert [gallery[3] for gallery in page["galleries"]] == [False, False]
    names = [item["name"] for group in page["groups"] for item in group["items"]]
    assert names[:2] == [f"team:{SAMPLES[0].name}", "team:run-7"]
    assert SAMPLES[0].name in names
    assert "nowhere" in app.error[0].value
    assert app.expander[0].label == "team: one thing was left out"
    assert "team\\.jsonl\\:3\\: not valid JSON" in app.expander[0].markdown[0].value


def test_a_sample_of_a_gallery_opens_by_its_address(app: AppTest, team: Path) -> None:
    app.query_params["sample"] = f"team:{SAMPLES[0].name}"
    app.run()
    assert not app.exception
    assert not app.error
    assert any(b"Ours" in bytes(element.proto.bytes) for element in app.get("bidi_component"))


@pytest.mark.parametrize("address", ["nothing:run-7", "team:nothing", "<b>:x"])
def test_an_address_that_leads_nowhere_is_one_sentence(app: AppTest, team: Path, address: str) -> None:
    app.query_params["sample"] = address
    app.run()
    assert not app.exception
    (told,) = [*app.error, *app.warning]
    assert "There is no sample called" in told.value
    assert "<b>" not in told.value


def test_the_bundle_is_handed_over_once(app: AppTest, root: Path, team: Path) -> None:
    on_gallery(app, root)
    wanted = ["team:run-7", SAMPLES[3].name, "gone:long-ago"]
    app.session_state["gallery.bundle"] = wanted
    app.run()
    (handed,) = (e for e in app.get("bidi_component") if e.proto.component_name == "harmonylens_handover")
    head, _, data = bytes(handed.proto.bytes).partition(b"\n")
    assert json.loads(head)["name"] == "samples-2.harmonylens"
    opened = read_gallery(data, "x.harmonylens")
    assert opened.samples == (open_gallery(team).samples[1], SAMPLES[3])
    app.run()
    assert all(e.proto.component_name != "harmonylens_handover" for e in app.get("bidi_component"))


def test_a_bundle_of_what_is_gone_is_one_sentence(app: AppTest, root: Path) -> None:
    on_gallery(app, root)
    app.session_state["gallery.bundle"] = ["gone:long-ago"]
    app.run()
    assert "None of these samples is open any more" in app.error[0].value


def test_samples_of_one_name_stay_apart_in_a_bundle() -> None:
    one = SAMPLES[0]
    samples = {one.name: one, f"team:{one.name}": replace(one, title="Ours")}
    gallery = chosen_gallery(list(samples), samples.get)
    assert [sample.name for sample in gallery.samples] == [one.name, f"{one.name}-2"]
    assert chosen_gallery([one.name], samples.get).name == one.name
    with pytest.raises(SampleError):
        chosen_gallery([], samples.get)


def test_the_clash_of_names_survives_the_file() -> None:
    rows = [json.dumps({"id": "x", "token_ids": [n]}) for n in range(3)]
    gallery = read_gallery("\n".join(rows).encode(), "x.jsonl")
    lines = io.StringIO("\n".join(json.dumps(sample_record(sample)) for sample in gallery.samples))
    assert read_gallery(lines.getvalue().encode(), "x.jsonl").samples == gallery.samples
