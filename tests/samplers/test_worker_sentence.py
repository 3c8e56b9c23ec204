"""What the worker says of an exception, in one line."""

from __future__ import annotations

import pytest

from inspector.vllm_side.worker import sentence


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("a Worker failed with error 'it's bad.', please check the stack trace above for the cause", "a it's bad"),
        ("Worker failed with error 'it goes on", "Worker failed with error 'it goes on"),
        ("please check the stack trace above", "please check the stack trace above"),
    ],
)
def test_what_vllm_puts_around_an_error_is_taken_off(raised: str, told: str) -> None:
    assert sentence(ValueError(raised)) == told
