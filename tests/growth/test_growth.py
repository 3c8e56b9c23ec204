"""Every input costs linear time: no case of this folder takes more than six times as long for four times as much."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from .harness import CASES, MOST, grown

for _file in sorted(Path(__file__).parent.glob("*_cases.py")):
    import_module(f"{__package__}.{_file.stem}")


@pytest.mark.parametrize("name", list(CASES))
def test_it_grows_with_its_input_and_no_faster(name: str) -> None:
    n, small, large = grown(CASES[name])
    assert large <= MOST * max(small, 0.010), f"{small:.3f} s at {n:,}, {large:.3f} s at {4 * n:,}"


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 60
