"""The command line: ``main`` is the command ``harmonylens``; one module a command, and what the commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .command import cli

__all__ = ["cli", "main"]

_INTERRUPTED: Final = 130
"""As in :mod:`inspector.cli.output`, which may not have been read yet."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command; see :func:`inspector.cli.command.main`. Ctrl-C is no traceback while it is being loaded, too."""
    try:
        from .command import main as run

        return run(args)
    except KeyboardInterrupt:
        return _INTERRUPTED  # before there is anything that could tell it


def __getattr__(name: str) -> Any:
    if name == "cli":
        from .command import cli

        return cli
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
