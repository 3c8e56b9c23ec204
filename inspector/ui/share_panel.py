"""The share panel of the Inspect page."""

from __future__ import annotations

from .inspecting import Given
from .state import Bench


def share_panel(work: Bench, given: Given) -> None:
    """Draw it."""
