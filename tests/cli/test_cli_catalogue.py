"""``harmonylens rules`` and ``harmonylens releases``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inspector.harmony.verdict import Dialect
from inspector.releases import Release, ReleaseError
from inspector.report.rules import all_rules

Run = Callable[..., Any]


class TestRules:
    def test_the_list(self, run: Run) -> None:
        ran = run("rules")
        assert ran.code == 0
        lines = ran.out.splitlines()
        assert [line.split()[0] for line in lines] == list(all_rules())
        assert all(len(line) <= 100 for line in lines)

    def test_a_prefix_lists_those(self, run: Run) -> None:
        codes = [line.split()[0] for line in run("rules", "hs2").out.splitlines()]
        assert codes == [code for code in all_rules() if code.startswith("HS2")]

    @pytest.mark.parametrize("word", ["HS201", "hs201", "duplicate-channel"])
    def test_one_rule_is_explained(self, run: Run, word: str) -> None:
        ran = run("rules", word)
        assert ran.code == 0
        for part in ("HS201 duplicate-channel", "Why is this bad", "Where it was seen"):
            assert part in ran.out
        assert "## " not in ran.out

    def test_other_formats(self, run: Run) -> None:
        record = json.loads(run("rules", "HS201", "--format", "json").out)
        assert record["name"] == "duplicate-channel"
        assert record["sections"]["Why is this bad"]
        assert len(json.loads(run("rules", "--format", "json").out)) == len(all_rules())
        assert run("rules", "HS201", "--format", "markdown").out.startswith("# HS201 duplicate-channel\n")
        assert "| HS201 | duplicate-channel |" in run("rules", "--format", "markdown").out

    def test_an_unknown_rule(self, run: Run) -> None:
        ran = run("rules", "duplicate-chanel")
        assert (ran.code, ran.out) == (2, "")
        assert "did you mean duplicate-channel" in ran.err


RELEASE = Release("oss-harmony", "0.0.11", Dialect.ALL_CHANNELS, Path("/somewhere"), "environment")
LATER = Release("oss-harmony", "0.0.99", Dialect.ALL_CHANNELS, Path("/cache"), "cache")


class TestReleases:
    @pytest.fixture(autouse=True)
    def _one_release(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("inspector.releases.available", lambda: [RELEASE])

    @pytest.mark.parametrize("args", [[], ["list"]])
    def test_the_list(self, run: Run, args: list[str]) -> None:
        ran = run("releases", *args)
        assert ran.code == 0
        assert ran.out == "oss-harmony 0.0.11  environment  /somewhere\n"
        # A script looks for the name on standard output: what is missing must not stand there.
        assert "openai-harmony 0.0.8 is not here" in ran.err
        assert "harmonylens releases add openai-harmony==0.0.8" in ran.err

    def test_as_json(self, run: Run) -> None:
        (found,) = json.loads(run("releases", "list", "--format", "json").out)
        assert (found["release"], found["dialect"], found["checked"]) == ("oss-harmony 0.0.11", "all-channels", True)

    def test_adding_one(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        monkeypatch.setattr("inspector.releases.add", lambda spec: asked.append(spec) or RELEASE)
        ran = run("releases", "add", "oss-harmony==0.0.11")
        assert (ran.code, asked) == (0, ["oss-harmony==0.0.11"])
        assert "oss-harmony 0.0.11" in ran.out

    @pytest.mark.parametrize(("differ", "said"), [([], "agrees with our model"), ([object()], "differs from our")])
    def test_one_that_came_later_is_checked(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, differ: list[object], said: str
    ) -> None:
        monkeypatch.setattr("inspector.releases.add", lambda spec: LATER)
        monkeypatch.setattr("inspector.releases.check", lambda release: differ)
        ran = run("releases", "add", "oss-harmony==0.0.99")
        assert said in ran.out + ran.err

    @pytest.mark.parametrize("error", [ReleaseError("it could not be fetched: no network."), ValueError("no spec")])
    def test_one_that_cannot_be_had(self, run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        def fail(spec: str) -> Release:
            raise error

        monkeypatch.setattr("inspector.releases.add", fail)
        ran = run("releases", "add", "openai-harmony==0.0.8")
        assert (ran.code, ran.out) == (2, "")
        assert str(error) in ran.err

    @pytest.mark.parametrize("spec", ["openai-harmony", "requests==2.0", "openai-harmony==0.0.8; rm -rf /"])
    def test_a_spec_that_is_none(self, run: Run, spec: str) -> None:
        ran = run("releases", "add", spec)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.count("\n") == 1
