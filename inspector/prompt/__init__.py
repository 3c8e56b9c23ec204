"""The next prompt: messages re-encoded, aligned with what was emitted, every difference with its cause."""

from .causes import CAUSES
from .drift import Drift, NextPrompt, Poison
from .mended import against_original
from .next_prompt import next_prompt
from .plan import STYLES
from .render import RenderError, render

__all__ = [
    "CAUSES",
    "STYLES",
    "Drift",
    "NextPrompt",
    "Poison",
    "RenderError",
    "against_original",
    "next_prompt",
    "render",
]
