"""Links that carry their transcript, from the panel that makes one to the page that opens it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from inspector.gallery.link import read_link, write_link
from inspector.ingest import Card, Switches, carrying
from inspector.tokens import Transcript, vocabulary

pytestmark = pytest.mark.browser

BROKEN = "<|channel|>analysis<|channel|>commentary<|message|>Run the tests.<|end|>"


def share(page: Page) -> None:
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_text("A link that carries the transcript")).to_be_visible()


def link_of(page: Page) -> str:
    box = page.get_by_role("textbox", name="Link that carries the transcript")
    expect(box).to_be_visible()
    return box.input_value()


def test_a_link_brings_the_transcript_its_switches_and_the_token(page: Page, app_url: str, browser: Browser) -> None:
    requests: list[str] = []
    page.goto(f"{app_url}/?sample=duplicate-channel-lost-call")
    page.locator(".finding .switch").first.click()
    expect(page.get_by_role("region", name="Repaired")).to_contain_text("0 of")
    page.locator(".hero .t[data-i='5']").click()
    share(page)
    expect(page.get_by_text("token 5 chosen")).to_be_visible()
    expect(page.get_by_role("textbox", name="Link to this sample")).to_have_value(
        f"{app_url}/?sample=duplicate-channel-lost-call"
    )
    link = link_of(page)
    assert link.startswith(f"{app_url}/#h1.")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    other = context.new_page()
    other.on("request", lambda request: requests.append(request.url))
    other.goto(link)
    expect(other.get_by_label("Source")).to_contain_text("The same channel twice, and no tool name")
    expect(other.get_by_role("region", name="Repaired")).to_contain_text("0 of")
    expect(other.locator(".hero .t.active")).to_have_attribute("data-i", "5")
    payload = link.split("#")[1]
    assert other.evaluate("location.hash") == f"#{payload}"
    other.reload()
    expect(other.get_by_role("region", name="Repaired")).to_contain_text("0 of")
    # What stands behind the # is in no request, so in no log.
    assert not [url for url in requests if payload[:40] in url.split("#")[0]]
    context.close()


def test_another_link_in_the_same_tab_and_back(page: Page, app_url: str) -> None:
    first = write_link(Transcript(ids=tuple(vocabulary().encode_markers(BROKEN))))
    second = write_link(Transcript(ids=(200005, 17196, 200008)))
    count = len(vocabulary().encode_markers(BROKEN))
    page.goto(f"{app_url}/#{first}")
    expect(page.get_by_label("Source")).to_contain_text(f"{count} tokens")
    page.evaluate("hash => { location.hash = hash; }", second)
    expect(page.get_by_label("Source")).to_contain_text("3 tokens")
    page.go_back()
    expect(page.get_by_label("Source")).to_contain_text(f"{count} tokens")
    page.get_by_role("link", name="Rules").click()
    expect(page.get_by_role("heading", name="Rules")).to_be_visible()
    page.get_by_role("link", name="Inspect").click()
    expect(page.get_by_label("Source")).to_contain_text(f"{count} tokens")
    page.wait_for_function("hash => location.hash === '#' + hash", arg=first)


def test_a_pasted_link_opens(page: Page, app_url: str) -> None:
    payload = write_link(Transcript(ids=(200005, 17196, 200008)))
    page.goto(app_url)
    page.get_by_role("textbox", name="Model output").fill(f"https://tools.example.org/#{payload}")
    page.get_by_role("button", name="Inspect", exact=True).click()
    expect(page.get_by_label("Source")).to_contain_text("3 tokens")
    page.reload()
    expect(page.get_by_label("Source")).to_contain_text("3 tokens")


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ("h2.AAAA", "This link is of version 2; this harmonylens knows versions up to 1"),
        ("h1.AAAA", "This link is damaged or was cut short"),
        ("h1.<script>window.pwned=1</script>", "carries no transcript"),
    ],
)
def test_a_link_that_cannot_be_opened_gets_a_sentence(page: Page, app_url: str, payload: str, sentence: str) -> None:
    page.goto(f"{app_url}/#{payload}")
    expect(page.get_by_test_id("stAlert")).to_contain_text(sentence)
    expect(page.get_by_role("textbox", name="Model output")).to_be_visible()
    assert page.evaluate("window.pwned ?? null") is None
    # The address is read in several runs: the sentence outlasts all of them, and goes with what is done next.
    page.evaluate("""() => new Promise((done) => {
        let since = performance.now();
        const look = () => {
            const idle = document.querySelector("[data-test-script-state='notRunning']");
            if (!idle) since = performance.now();
            performance.now() - since > 700 ? done() : requestAnimationFrame(look);
        };
        look();
    })""")
    expect(page.get_by_test_id("stAlert")).to_contain_text(sentence)
    page.get_by_role("textbox", name="Model output").fill(BROKEN)
    page.get_by_role("button", name="Inspect", exact=True).click()
    expect(page.get_by_label("Source")).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_a_long_context_travels_by_link(page: Page, app_url: str) -> None:
    turn = "<|start|>assistant<|channel|>analysis<|message|>Look at file {}, then at {}.<|end|>"
    text = "".join(turn.format(n * 7919 % 9973, n * 104_729 % 99_991) for n in range(7200))
    ids = tuple(vocabulary().encode_markers(text)[1:131_073])
    assert len(ids) == 131_072
    title = "A whole context <b>at once</b>"
    payload = write_link(carrying(Transcript(ids=ids), Switches(), Card(title=title)), 131_000)
    assert read_link(payload).transcript.ids == ids
    sent: list[int] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(len(frame))))
    page.goto(f"{app_url}/#{payload}")
    expect(page.get_by_label("Source")).to_contain_text(title, timeout=60_000)
    chosen = page.locator(".hero .t.active")
    expect(chosen).to_have_attribute("data-i", "131000", timeout=60_000)
    # The link goes up once, not with everything that a person does.
    sent.clear()
    chosen.click()
    share(page)
    assert sum(sent) < 5000


def test_copy_says_that_it_copied(page: Page, app_url: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=app_url)
    page.goto(f"{app_url}/?sample=healthy-answer")
    share(page)
    page.get_by_role("button", name="Copy: Link that carries the transcript").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link_of(page)


def test_a_key_copies_all_of_a_link_that_the_field_cuts(page: Page, app_url: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=app_url)
    ids = tuple(n * 7919 % 190_000 for n in range(4000))
    page.goto(f"{app_url}/#{write_link(Transcript(ids=ids))}")
    expect(page.get_by_label("Source")).to_contain_text("4,000 tokens")
    share(page)
    assert link_of(page).endswith("…")
    page.get_by_role("textbox", name="Link that carries the transcript").focus()
    page.keyboard.press("ControlOrMeta+c")
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('#h1.')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert read_link(copied.split("#")[1]).transcript.ids == ids
