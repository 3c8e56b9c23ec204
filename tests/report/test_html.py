"""The exported page: one file, nothing of the transcript in it as text, and nothing that could be fetched or run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
from exporting import SAMPLES, hostile, long_transcript

from inspector.ingest.html import DATA_TYPE
from inspector.report.html import Frame, export_html, page, script_code
from inspector.report.subject import inspected, inspected_sample
from inspector.tokens import Transcript
from inspector.view.container import unpack
from inspector.view.viewmodel import digest


class Page(HTMLParser):
    """The elements of a page, and the text in its scripts and outside of them."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[tuple[dict[str, str], str]] = []
        self.text = ""
        self.feed(data.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script":
            if data.strip():
                self.scripts.append((self.elements[-1][1], data))
        else:
            self.text += data

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def unpacked(self, what: str) -> list[bytes]:
        return [
            zlib.decompress(base64.b64decode(text))
            for attributes, text in self.scripts
            if attributes.get("type") == DATA_TYPE and attributes.get("data-what") == what
        ]


def policy(found: Page) -> dict[str, str]:
    (content,) = [a["content"] for a in found.attributes("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    return dict(part.strip().split(" ", 1) for part in content.split(";"))


def test_only_the_script_that_its_policy_names_runs() -> None:
    found = Page(export_html(hostile()))
    code = [text for attributes, text in found.scripts if attributes.get("type") != DATA_TYPE]
    assert code == [script_code()]
    hashed = base64.b64encode(hashlib.sha256(script_code().encode()).digest()).decode()
    rules = policy(found)
    assert rules["script-src"] == f"'sha256-{hashed}'"
    assert (rules["default-src"], rules["img-src"], rules["base-uri"], rules["form-action"]) == (
        "'none'", "data:", "'none'", "'none'",
    )  # fmt: skip
    assert "connect-src" not in rules


def test_a_page_asks_for_nothing_and_has_no_handlers() -> None:
    found = Page(export_html(hostile()))
    for tag, attributes in found.elements:
        assert tag not in ("img", "iframe", "object", "embed", "base", "form"), tag
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        for name in ("src", "href"):
            assert attributes.get(name, "").startswith(("data:image/svg+xml;base64,", "#")) or name not in attributes
    styles = " ".join(re.findall(r"<style>(.*?)</style>", export_html(hostile()).decode(), re.DOTALL))
    assert "url(" not in styles
    assert "@import" not in styles


def test_no_text_of_a_transcript_stands_in_the_page_but_escaped_in_its_title() -> None:
    found = Page(export_html(hostile()))
    assert found.text.count("window.pwned=1") == 2, "in the title and the heading, where it is text"
    for attributes, text in found.scripts:
        if attributes.get("type") == DATA_TYPE:
            assert re.fullmatch(r"[A-Za-z0-9+/=]+", text)
    assert "\u202e" not in export_html(hostile()).decode()


def test_a_page_holds_what_the_screen_is_fed_with() -> None:
    for sample in SAMPLES[::8]:
        found = Page(export_html(inspected_sample(sample)))
        (tokens,) = found.unpacked("tokens")
        head, sections = unpack(tokens)
        assert head["count"] == len(sample.transcript) == len(sections["index"])
        messages = [json.loads(message) for message in found.unpacked("message")]
        assert {message["digest"] for message in messages} == {digest(sample.transcript)}
        assert [message.get("part", "") for message in messages] == ["", "steps"]
        assert [json.loads(record)["token_ids"] for record in found.unpacked("record")] == [[*sample.transcript.ids]]


def test_the_same_transcript_gives_the_same_bytes() -> None:
    assert export_html(inspected_sample(SAMPLES[3])) == export_html(inspected_sample(SAMPLES[3]))


def test_what_is_known_of_the_libraries_goes_along() -> None:
    checks = {"oss-harmony 0.0.11": {"state": "same", "text": "the library itself says the same"}}
    subject = inspected(SAMPLES[0].transcript, parts={"checks": checks})
    messages = [json.loads(message) for message in Page(export_html(subject)).unpacked("message")]
    assert [m["value"] for m in messages if m.get("part") == "checks"] == [checks]


def test_a_whole_context_is_exported_in_seconds_and_megabytes() -> None:
    transcript = long_transcript()
    # Processor time: the machine may be busy with other tests.
    start = time.process_time()
    data = export_html(inspected(transcript))
    took = time.process_time() - start
    assert len(data) < 10_000_000
    assert took < 5.0


def test_a_whole_context_with_five_alternatives_for_each_token_stays_small() -> None:
    draw = np.random.default_rng(3)
    plain = long_transcript()
    count = len(plain)
    # As servers report them: single precision.
    values = draw.normal(-3, 2, (count, 5)).astype(np.float32).astype(float).tolist()
    ids = draw.integers(0, 200_000, (count, 5)).tolist()
    transcript = replace(
        plain,
        logprobs=tuple(row[0] for row in values),
        top=tuple(tuple(zip(*pair, strict=True)) for pair in zip(ids, values, strict=True)),
    )
    assert len(export_html(inspected(transcript))) < 10_000_000


def test_an_empty_transcript_has_a_page() -> None:
    found = Page(export_html(inspected(Transcript((), "assistant"))))
    assert unpack(found.unpacked("tokens")[0])[0]["count"] == 0


def test_the_script_ends_no_script_element() -> None:
    assert not re.search(r"</script|<!--|<script", script_code(), re.IGNORECASE)


def test_a_frames_words_are_escaped() -> None:
    nasty = "\"><script>alert(1)</script>&'"
    data = page(Frame("sample", nasty, "x", home=nasty, home_title=nasty, assets="../a"), iter(())).decode()
    assert "<script>alert" not in data
    assert data.count("<script") == 1
