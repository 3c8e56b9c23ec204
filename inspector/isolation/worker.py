"""The parent's side of one worker: a function of this project is called in a process that can be killed."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from ..child_environment import child_environment, python_command
from .child import Child, ChildEnded, ChildLate, TooLong
from .limits import CutOff, Limits, Reason

P = ParamSpec("P")
R = TypeVar("R")

LOOK_S: Final = 0.25
"""How often we look whether somebody still waits for the answer."""

CROWDED: Final = 4.0
"""Times as long as it computes something may take: on two cores with a load of 10 a process has a fifth of one."""

_OUT_OF_TIME: Final = int(getattr(signal, "SIGPROF", 0)) or None
"""The signal with which the system ends a process that has computed for too long; None where there is none."""

_NUMBERS: Final = ("OPENBLAS_", "OMP_", "MKL_")
"""What numpy's libraries are told of this machine: which processor, how many threads."""


class Worker:
    """One process that calls functions; replaced when it was killed. One call at a time.

    Args:
        limits: what it may take.
        first: called in every new process before anything else, so that nobody's request pays for the imports.
    """

    def __init__(self, limits: Limits, first: Callable[[], object] | None = None) -> None:
        self.limits, self._first = limits, first
        self._child = Child(self._command, errors=None, longest=limits.answer)
        self._is_ready = False

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._child.pid

    def prepare(self) -> None:
        """Start the process, if it does not run, and let it import what it needs.

        Raises:
            CutOff: it cannot be started.
        """
        if self._is_ready and self._child.pid is not None:
            return
        self._is_ready = False
        first = self._first if self._first is not None else _nothing
        try:
            self._child.start()
            answer = self._child.exchange(_request(self.limits.loading, first, (), {}), self.limits.loading)
        except OSError as error:
            raise CutOff(Reason.CRASHED, f"the process for it could not be started ({error})") from error
        except (ChildLate, ChildEnded, TooLong) as error:
            raise CutOff(Reason.CRASHED, f"the process for it could not be started ({error or 'no answer'})") from error
        self._opened(answer)
        self._is_ready = True

    def call(
        self,
        function: Callable[P, R],
        deadline: float,
        wanted: Callable[[], bool],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """What ``function`` returns or raises there.

        Args:
            function: of a module, not of another function: it is sent by name.
            deadline: seconds of computing until the process is killed; where the machine is busy, or the system does
                not count them, it is killed after :data:`CROWDED` times as many.
            wanted: asked now and then while we wait; the work ends when it says no.
            args, kwargs: its arguments; they are copied.

        Raises:
            CutOff: it was not finished.
        """
        self.prepare()
        request = _request(deadline, function, args, kwargs)
        late = CutOff(Reason.LATE, f"it took more than {deadline:.0f} s")
        try:
            answer = self._child.exchange(request, _late(deadline), step=LOOK_S, meanwhile=lambda: _still(wanted))
        except ChildLate:
            raise late from None
        except ChildEnded as error:
            if error.signal == _OUT_OF_TIME:
                raise late from None
            raise CutOff(Reason.CRASHED, f"the process that did it ended ({error})") from None
        except TooLong:
            most = self.limits.answer // 2**20
            raise CutOff(Reason.LARGE, f"what came of it is larger than {most:,} MB") from None
        result: R = self._opened(answer)
        return result

    def kill(self) -> None:
        """Kill the process, from any thread."""
        self._child.kill()

    def stop(self) -> None:
        """End the process; it is started again when it is used again."""
        self._child.stop()

    def _command(self) -> tuple[list[str], dict[str, str]]:
        # What is relative changes with the current folder, and nothing of ours is there.
        path = [folder for folder in sys.path if os.path.isabs(folder)]
        told = {"path": path, "memory": self.limits.memory}
        script = Path(__file__).with_name("serve.py")
        return python_command(str(script), json.dumps(told)), child_environment(prefixes=_NUMBERS)

    def _opened(self, answer: bytes) -> Any:
        """The value of an answer; what was raised there is raised here."""
        status, value = pickle.loads(answer)  # noqa: S301 - made by our own code in a process that we started
        if status == "ok":
            return value
        if status == "raised":
            told, where = value
            error = pickle.loads(told)  # noqa: S301 - as above
            error.add_note(f"In the worker process:\n{where}")
            raise error
        # What it holds between requests may be half made.
        self._child.stop()
        if status == "memory":
            raise CutOff(Reason.MEMORY, f"it needed more than {self.limits.memory // 2**20:,} MB of memory")
        raise CutOff(Reason.CRASHED, f"the process that did it broke off ({value})")


def _still(wanted: Callable[[], bool]) -> None:
    if not wanted():
        raise CutOff(Reason.LEFT, "nobody waits for it any more")


def _nothing() -> None:
    """For a worker that needs no preparing."""


def _request(deadline: float, function: Callable[..., object], args: Any, kwargs: Any) -> bytes:
    return pickle.dumps((deadline, _late(deadline), function, args, kwargs), pickle.HIGHEST_PROTOCOL)


def _late(deadline: float) -> float:
    """Seconds until a process is killed that may compute for ``deadline`` seconds."""
    return deadline * CROWDED
