"""Work in other processes that can be killed: a deadline, a memory limit, a sentence when one of them is reached.

Python cannot stop a thread, and a thread that holds the interpreter's lock stops all others. So what may be slow or
large by somebody else's will is done by a worker: whatever happens to it, this process goes on.
"""

from .child import Child, ChildEnded, ChildLate, TooLong
from .limits import CutOff, Limits, Reason
from .pool import Pool
from .worker import Worker

__all__ = [
    "Child",
    "ChildEnded",
    "ChildLate",
    "CutOff",
    "Limits",
    "Pool",
    "Reason",
    "TooLong",
    "Worker",
]
