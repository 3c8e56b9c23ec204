"""Other people's code: what is said of it when it raises, and which line of it is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from inspector.samplers import OneShot, Replay, Rollout, SamplerError, SamplingParams
from inspector.samplers.draft import Draft, Listener
from inspector.samplers.engine import Engine, EngineError
from inspector.samplers.sampler import draw
from inspector.samplers.theirs import TheirError, load, raised
from inspector.samplers.tools import GROUP, installed
from inspector.tokens import Transcript, vocabulary

from ..aio import run as finish

PROMPT = vocabulary().encode_markers("<|start|>user<|message|>Hi.<|end|><|start|>assistant")
SAID = vocabulary().encode_markers("<|channel|>final<|message|>Hello.<|return|>")


def caught(work: Callable[[], object]) -> BaseException:
    try:
        work()
    except BaseException as error:  # noqa: BLE001
        return error
    raise AssertionError("it did not raise")


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that calls another one, which raises."""
    site = tmp_path / "site-packages"
    (site / "plugin_of_theirs").mkdir(parents=True)
    (site / "plugin_of_theirs" / "__init__.py").write_text(
        "import library_of_others\n\ndef work():\n    library_of_others.work()\n"
    )
    (site / "library_of_others.py").write_text("def work():\n    raise ValueError('too\\n  much.')\n")
    monkeypatch.syspath_prepend(str(site))
    return site


def test_the_line_of_their_own_package_is_named_and_not_that_of_a_library(plugin: Path) -> None:
    import plugin_of_theirs  # type: ignore[import-not-found]

    error = caught(plugin_of_theirs.work)
    own = f"{plugin}/plugin_of_theirs/__init__.py, line 4, in work"
    assert raised(error, "plugin_of_theirs") == f"ValueError: too much ({own})"
    group = ExceptionGroup("several", [ExceptionGroup("inner", [error]), KeyError("x")])  # type: ignore[list-item]
    assert raised(group, "plugin_of_theirs") == f"ValueError: too much ({own})"


def test_what_has_no_line_of_theirs_and_no_words_is_still_named() -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise ValueError("no words")

    assert raised(Unspeakable()) == "Unspeakable"
    assert raised(ValueError("x" * 1000)) == f"ValueError: {'x' * 300}…"


def test_whatever_an_import_raises_is_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "script_of_theirs.py").write_text("import sys\nsys.exit('usage: none')\n")
    (tmp_path / "typo_of_theirs.py").write_text("x = (\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(TheirError, match=r"SystemExit: usage: none \(.*script_of_theirs.py, line 2, in <module>\)"):
        load(lambda: __import__("script_of_theirs"))
    with pytest.raises(TheirError, match=r"SyntaxError: .*typo_of_theirs.py, line 1\)"):
        load(lambda: __import__("typo_of_theirs"))


def test_installed_tools_that_cannot_be_had_are_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tools_of_theirs.py").write_text("good = 3\nraise LookupError('no key')\n")
    (tmp_path / "values_of_theirs.py").write_text("good = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    entries = [EntryPoint(name, f"{name}_of_theirs:good", GROUP) for name in ("tools", "values")]
    monkeypatch.setattr("inspector.samplers.tools.plugins", lambda group: entries)
    found, (broken, odd) = installed()
    assert found == ()
    assert broken == (
        "The tool tools (tools_of_theirs:good) cannot be loaded: LookupError: no key "
        f"({tmp_path}/tools_of_theirs.py, line 2, in <module>)."
    )
    assert odd == "The tool values (values_of_theirs:good) is no inspector.samplers.tools.Tool."


class Theirs(OneShot):
    """Ends as it is told to."""

    name = "theirs"

    def __init__(self, end: Callable[[list[Rollout]], Any]) -> None:
        self.end = end

    async def sample(
        self,
        engine: Engine,
        prompts: Sequence[Sequence[int]],
        params: SamplingParams,
        listener: Listener | None = None,
    ) -> list[Rollout]:
        ended: list[Rollout] = self.end(await super().sample(engine, prompts, params, listener))
        return ended


def drawn(end: Callable[[list[Rollout]], Any], listener: Listener | None = None) -> list[Rollout]:
    engine = Replay(Transcript(tuple(SAID)), rate=None)
    return finish(draw(Theirs(end), engine, [PROMPT] * 2, SamplingParams(), listener))


def raises(error: BaseException) -> Callable[[list[Rollout]], Any]:
    def end(_: list[Rollout]) -> Any:
        raise error

    return end


def test_what_their_sampler_returns_is_looked_at() -> None:
    assert [rollout.ids for rollout in drawn(lambda made: made)] == [tuple(SAID)] * 2
    for end, said in (
        (lambda made: None, "returned NoneType: expected a list of Rollout"),
        (lambda made: [1, 2], "returned list: expected a list of Rollout"),
        (lambda made: made[:1], "returned 1 of 2 rollouts"),
    ):
        with pytest.raises(SamplerError, match=said):
            drawn(end)


def test_their_sampler_gets_no_prompt_that_no_engine_could_take() -> None:
    engine = Replay(Transcript(tuple(SAID)), rate=None)
    with pytest.raises(EngineError, match="Token 0 of the prompt is -1"):
        finish(draw(Theirs(lambda made: made), engine, [PROMPT, [-1]], SamplingParams()))


def test_an_engine_s_failure_is_the_engine_s_and_what_the_listener_raises_the_listener_s() -> None:
    with pytest.raises(EngineError, match=r"^The engine has gone\.$"):
        drawn(raises(ExceptionGroup("", [EngineError("The engine has gone.")])))
    with pytest.raises(asyncio.CancelledError):
        drawn(raises(asyncio.CancelledError()))

    def closed(number: int, draft: Draft) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        drawn(lambda made: made, closed)
    with pytest.raises(SamplerError, match=rf"{__name__}:Theirs raised ValueError: odd \({__file__}, line"):
        drawn(raises(ValueError("odd.")))
