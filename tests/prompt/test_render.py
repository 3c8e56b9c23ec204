"""Our renderer against the real ones: equal, id for id."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from functools import partial

import openai_harmony
import pytest

from inspector.harmony.message import Message
from inspector.prompt import STYLES, RenderError, render
from inspector.releases import NativeWorker

from .references import native, vllm

OPENAI, OSS, VLLM = STYLES

ROLES = ("assistant", "assistant", "assistant", "tool", "user", "system", "developer")
CHANNELS: tuple[str | None, ...] = (
    None,
    "analysis",
    "analysis",
    "commentary",
    "commentary",
    "commentary",
    "final",
    "final",
    "",
    "Final",
)
CHANNELS += ("comm entary", " commentary", "commentary,json", "<|channel|>final", "思考")
RECIPIENTS: tuple[str | None, ...] = (
    None,
    None,
    None,
    "functions.bash",
    "bash",
    "functions.",
    "all",
    "",
    "assistant",
    "python",
    "browser.x",
)
RECIPIENTS += ("functions.a to=b", "container", "functions.bash<|constrain|>json", "<|constrain|>json", "f.工具")
POISONED = ("functions.bash<|channel|>commentary", "x<|end|>", "<|call|>y", "functions.<|reserved_200500|>")
TYPES = (None, None, "json", "<|constrain|>json", "code", "<|constrain|>", "", " json", "a<|constrain|>b", "JSON")
NAMES = (None, None, "bob", "functions.bash", "bash", "", "python", "a<|start|>b", "имя")
TEXTS: tuple[str, ...] = (
    "",
    "Hi.",
    '{"cmd":"ls"}',
    '{"cmd": "ls", "n": [1e3, "é"]}',
    "I'll look\n\n  twice",
    "<|start|>x<|end|>",
)
TEXTS += ("日本語🙂‍↔️", "\ufffd\x00\u202e", "   \n\t ", "a" * 40, "{broken", '"x"', "<|refusal|><|endofprompt|>")


def conversations(seed: int, count: int, *, poisoned: bool) -> list[tuple[Message, ...]]:
    rng = random.Random(seed)
    recipients = RECIPIENTS + (POISONED if poisoned else ())
    made = []
    for _ in range(count):
        messages = []
        for _ in range(rng.randint(1, 7)):
            role = rng.choice(ROLES)
            name = rng.choice(NAMES)
            text = "".join(rng.choice(TEXTS) for _ in range(rng.choice((0, 1, 1, 2))))
            messages.append(
                Message(
                    role,
                    text,
                    name if role != "tool" or name is not None else "functions.bash",
                    rng.choice(CHANNELS),
                    rng.choice(recipients),
                    rng.choice(TYPES),
                )
            )
        made.append(tuple(messages))
    return made


@pytest.fixture(scope="module")
def worker() -> Iterator[NativeWorker]:
    with NativeWorker() as worker:
        loaded = worker.load(OPENAI)
        if not loaded.ok:
            if os.environ.get("CI"):
                pytest.fail(loaded.reason)
            pytest.skip(loaded.reason)
        yield worker


@pytest.mark.differential
@pytest.mark.parametrize("drop_analysis", [True, False])
def test_equals_oss_harmony_0011(drop_analysis: bool) -> None:
    for messages in conversations(11, 700, poisoned=True):
        ours = render(messages, OSS, drop_analysis=drop_analysis)
        assert ours == native(openai_harmony, messages, drop_analysis=drop_analysis), messages


@pytest.mark.differential
@pytest.mark.parametrize("drop_analysis", [True, False])
def test_equals_openai_harmony_008(worker: NativeWorker, drop_analysis: bool) -> None:
    for messages in conversations(8, 700, poisoned=True):
        theirs = worker.render(OPENAI, messages, next_role=None, auto_drop_analysis=drop_analysis)
        assert theirs.ok, theirs.reason
        assert render(messages, OPENAI, drop_analysis=drop_analysis) == list(theirs.ids), messages


@pytest.mark.differential
def test_equals_vllm_032() -> None:
    for messages in conversations(32, 700, poisoned=False):
        assert render(messages, VLLM) == vllm(openai_harmony, messages), messages


@pytest.mark.differential
def test_refuses_what_vllm_032_refuses_with_its_words() -> None:
    refused = 0
    for messages in conversations(33, 400, poisoned=True):
        expected = _outcome(partial(vllm, openai_harmony, messages))
        assert _outcome(partial(render, messages, VLLM)) == expected
        refused += isinstance(expected, str)
    assert 40 < refused < 360


def _outcome(render_it: Callable[[], list[int]]) -> list[int] | str:
    try:
        return render_it()
    except (RenderError, openai_harmony.HarmonyError) as error:
        return str(error)


def test_a_tool_without_a_name_is_refused_as_by_the_libraries() -> None:
    message = Message("tool", "ok")
    with pytest.raises(RenderError, match=r"^Tools should have a name!$"):
        render([message], OSS)
    with pytest.raises(RuntimeError, match=r"^Tools should have a name!$"):
        native(openai_harmony, [message])


def test_generation_prompt_is_the_librarys(encoding: openai_harmony.HarmonyEncoding) -> None:
    message = openai_harmony.Message.from_role_and_content(openai_harmony.Role.USER, "Hi.")
    conversation = openai_harmony.Conversation.from_messages([message])
    expected = encoding.render_conversation_for_completion(conversation, openai_harmony.Role.ASSISTANT)
    assert render([Message("user", "Hi.")], OSS, generation_prompt=True) == expected


@pytest.mark.parametrize("style", STYLES)
def test_the_continued_role_is_left_out(style: str) -> None:
    messages = [Message("assistant", "Hi.", channel="final"), Message("user", "More.")]
    whole = render(messages, style)
    assert render(messages, style, role="assistant") == whole[2:]
    assert render(messages, style, role="user") == whole  # another role: nothing to leave out
    assert render(messages[1:], style, role="user") == render(messages[1:], style)[2:]


def test_unknown_style_is_named() -> None:
    with pytest.raises(ValueError, match=r"'vLLM 1\.0'.*use one of openai-harmony 0\.0\.8"):
        render([], "vLLM 1.0")
