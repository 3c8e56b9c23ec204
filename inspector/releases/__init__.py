"""The published releases of ``openai_harmony`` side by side, in a worker process that can be killed.

>>> from inspector.releases import available
>>> [release.name for release in available() if release.found == "environment"]
['oss-harmony']
"""

from .catalogue import ReleaseError, add, available, find
from .release import CHECKED, NAMES, Release, dialect_of, parse_title
from .verdicts import Disagreement, check, compare, native_answer, native_verdict
from .worker import LONGEST_HEADER, NativePool, NativeResult, NativeWorker, header_length, native

__all__ = [
    "CHECKED",
    "LONGEST_HEADER",
    "NAMES",
    "Disagreement",
    "NativePool",
    "NativeResult",
    "NativeWorker",
    "Release",
    "ReleaseError",
    "add",
    "available",
    "check",
    "compare",
    "dialect_of",
    "find",
    "header_length",
    "native",
    "native_answer",
    "native_verdict",
    "parse_title",
]
