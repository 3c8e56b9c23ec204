"""All rules about what was emitted: by code, by name, and by the reader's problem that each explains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Rule
from ..harmony.problem import Problem
from ..harmony.tree import Tree
from ..tokens import Scan
from . import bodies
from .rules import MODULES
from .said import RuleModule, Said

__all__ = ["RULES", "RuleModule", "Said", "in_messages", "module_for"]

_BY_NAME: Final[dict[str, RuleModule]] = {module.RULE.name: module for module in MODULES}

RULES: Final[dict[str, Rule]] = {module.RULE.code: module.RULE for module in sorted(MODULES, key=lambda m: m.RULE.code)}
"""Every rule's card by its code, in order of code."""


def module_for(kind: str) -> RuleModule:
    """The module that explains problems of a kind.

    Raises:
        KeyError: no rule has that name.
    """
    return _BY_NAME[kind]


def in_messages(tree: Tree, scan: Scan) -> Iterator[Problem]:
    """What is wrong with the messages that were read, in order; ``scan`` is that of the tree's ids."""
    return bodies.problems(tree, scan)
