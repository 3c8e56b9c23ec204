"""harmonylens: read, repair and re-encode gpt-oss (Harmony) token transcripts.

>>> from inspector import inspect
>>> inspect("<|channel|>final<|message|>Hello.<|return|>").repair.ok
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.3.0.dev0"

__all__ = ["Inspection", "Transcript", "__version__", "inspect"]

if TYPE_CHECKING:
    from .inspection import Inspection, inspect
    from .tokens import Transcript


def __getattr__(name: str) -> Any:
    # Loaded on first use: the command line starts in a tenth of the time.
    if name in ("inspect", "Inspection"):
        from . import inspection

        return getattr(inspection, name)
    if name == "Transcript":
        from .tokens import Transcript

        return Transcript
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
