"""An inspection that is cut off, in a real Chromium: the sentence and the way out of it are seen and can be clicked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Serve

pytestmark = pytest.mark.browser

# No inspection of thousands of tokens keeps such a deadline, however fast it becomes.
HURRIED = (
    "from inspector import workers; workers.inspecting_deadline = lambda tokens: 0.005; "
    "from inspector.app import run; run(port={port}, open_browser=False)"
)


@pytest.fixture(scope="module")
def hurried_url(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that has no time."""
    with serve(["-c", HURRIED], tmp_path_factory.mktemp("hurried")) as url:
        yield url


@pytest.mark.parametrize("count", [10_000, 30_000], ids=["short", "announced as slow"])
@pytest.mark.parametrize("width", [1280, 390])
def test_an_inspection_that_is_cut_off_says_so_on_the_page(
    page: Page, hurried_url: str, tmp_path: Path, artifacts: Path, width: int, count: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    file = tmp_path / "slow.txt"
    file.write_text(", ".join(["35644"] * count))
    page.goto(hurried_url)
    page.locator("input[type=file]").set_input_files(file)
    said = page.get_by_role("alert").filter(has_text=f"Inspecting {count:,} tokens was cut off")
    again = page.get_by_role("button", name="Try again")
    for _ in range(2):
        expect(said).to_contain_text("The input is kept; on the command line, harmonylens inspect FILE has no such")
        expect(said.locator("code")).to_have_text("harmonylens inspect FILE")
        expect(said).to_have_count(1)
        for part in (said, again):
            expect(part).to_be_in_viewport(ratio=1)
            assert is_on_top(part)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.screenshot(path=artifacts / f"cut-off-{width}-{count}.png")
        # Cut off once more, and told once more.
        again.click()
    expect(page.get_by_role("button", name="Input")).to_be_enabled()


def is_on_top(part: Locator) -> bool:
    """Whether what is seen in the middle of an element is the element itself, clipped and covered by nothing."""
    return bool(
        part.evaluate(
            """e => {
                const box = e.getBoundingClientRect();
                const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                return seen !== null && e.contains(seen);
            }"""
        )
    )
