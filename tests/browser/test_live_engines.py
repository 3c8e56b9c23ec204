"""Engines on the Live page in a real browser: connecting, what the guard would have blocked, and a reload."""

from __future__ import annotations

import itertools
import re
import socket

import pytest
from playwright.sync_api import Page, expect

from inspector.tokens import vocabulary

from ..samplers.fake_server import FakeServer, LikeVllm
from .test_live import generate, settle

pytestmark = pytest.mark.browser


BAD = "<|channel|>analysis<|channel|>commentary<|message|>Run the tests.<|end|>"


def connect(page: Page, url: str) -> None:
    page.get_by_role("button", name="Choose an engine").click()
    page.get_by_label("Base URL").fill(url)
    page.get_by_role("button", name="Connect", exact=True).click()
    settle(page)


def generate_ready(page: Page, url: str) -> None:
    page.goto(f"{url}/live")
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()
    settle(page)


def test_connecting_can_be_cancelled(page: Page, app_url: str) -> None:
    generate_ready(page, app_url)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connect(page, f"http://127.0.0.1:{silent.getsockname()[1]}")
        waiting = page.get_by_text("Connecting to 127.0.0.1")
        expect(waiting).to_be_visible()
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(waiting).to_be_hidden()
    expect(page.get_by_label("Base URL")).to_have_value(re.compile("^http://127.0.0.1:"))


def test_a_blocked_token_is_a_way_to_it_and_a_reload_finds_all_of_it_again(page: Page, app_url: str) -> None:
    said = vocabulary().encode_markers(BAD)
    with FakeServer(LikeVllm(lambda _: said)) as server:
        generate_ready(page, app_url)
        connect(page, server.url)
        engine = page.get_by_role("button", name=re.compile(r"vLLM 0\.32"))
        expect(engine).to_be_visible()
        page.get_by_label("User").fill("Where is it?")
        page.get_by_label("User").press("Tab")
        settle(page)
        page.locator("[data-testid=stButtonGroup] button", has_text="Guard").click()
        counts = page.get_by_label("Samples of each")
        counts.fill("2")
        counts.press("Tab")
        settle(page)
        page.get_by_role("button", name="Measure").click()
        blocked = page.locator(".blocked")
        expect(blocked).to_contain_text(", in 2 of 2 samples.")
        settle(page)
        page.reload()
        expect(blocked).to_contain_text(", in 2 of 2 samples.")
        expect(engine).to_be_visible()
        expect(counts).to_have_value("2")
        settle(page)
        place = page.locator(".place").nth(1)
        expect(place).to_contain_text("off 2")
        expect(place).to_contain_text("token 2")
        place.click()
        expect(page.locator(".sample[aria-selected='true'] .name")).to_have_text("off 2")
        expect(page.locator(".one .surface .t.active")).to_have_attribute("data-i", "2")
        page.locator("[data-testid=stButtonGroup] button", has_text="Generate").click()
        expect(page.get_by_role("textbox", name="User")).to_have_value("Where is it?")


def test_where_a_sample_parts_is_readable_on_a_phone(page: Page, app_url: str) -> None:
    said = [vocabulary().encode_markers(text) for text in (BAD, "<|channel|>final<|message|>Yes.<|return|>")]
    asked = itertools.count()
    with FakeServer(LikeVllm(lambda _: said[next(asked) % 2])) as server:
        generate_ready(page, app_url)
        connect(page, server.url)
        expect(page.get_by_role("button", name=re.compile(r"vLLM 0\.32"))).to_be_visible()
        generate(page, 4)
        expect(page.locator(".run-line")).to_have_attribute("data-state", "done")
    page.set_viewport_size({"width": 390, "height": 900})
    parts = page.locator(".sample .parts:not(:empty)")
    expect(parts.first).to_have_text("parts at 1")
    cut = "all => all.filter((one) => one.scrollWidth > one.clientWidth).length"
    assert parts.evaluate_all(cut) == 0
    assert page.locator(".sample .said, .sample .tokens").evaluate_all(cut) == 0
