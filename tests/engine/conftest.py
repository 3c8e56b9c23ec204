"""The real vLLM: where it is, and which tests need it.

``HARMONYLENS_ENGINE`` names the environment that `make engine` builds; `make test-engine` sets it. Without it the
tests here are skipped; with it, one that cannot be used fails them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REASON = "needs a real vLLM: run `make test-engine` (HARMONYLENS_ENGINE names its environment)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.engine)
            if not os.environ.get("HARMONYLENS_ENGINE"):
                item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture(scope="session")
def engine_home() -> Path:
    """The environment with vLLM and the tiny model."""
    home = Path(os.environ["HARMONYLENS_ENGINE"]).absolute()
    for needed in ("bin/python", "models/tiny/config.json", "models/tiny/tokenizer.json"):
        if not (home / needed).is_file():
            pytest.fail(f"HARMONYLENS_ENGINE is {home}, where {needed} is missing: run `make engine`.")
    return home


@pytest.fixture(scope="session")
def engine_python(engine_home: Path) -> str:
    """An interpreter that has vLLM."""
    return str(engine_home / "bin" / "python")


@pytest.fixture(scope="session")
def tiny_model(engine_home: Path) -> str:
    """The folder of the tiny gpt-oss with random weights."""
    return str(engine_home / "models" / "tiny")
