"""The command line: ``main`` is the command ``harmonylens``; one module a command, and what the commands share."""

from .main import cli, main

__all__ = ["cli", "main"]
