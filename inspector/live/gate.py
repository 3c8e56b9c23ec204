"""Whether this app may sample: it contacts servers and starts processes for whoever can open the page.

On this machine alone that is the person at it. An app that others reach is open to them only if its owner said so, of
each by itself: who connects an engine has this machine send requests, who starts one has it run programs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class Gate:
    """How the app was started.

    Attributes:
        served: whether the addresses of :mod:`inspector.live.route` are there.
        allowed: whether engines may be connected.
        starts: whether others than the person at this machine may start engines, too. That person always may, where
            engines may be connected.
        is_private: whether only this machine reaches the app. Only then is the API key of the environment used: who
            names a server would be sent it.
    """

    served: bool = False
    allowed: bool = False
    starts: bool = False
    is_private: bool = False

    @property
    def reason(self) -> str:
        """Why nothing can be sampled, in a sentence with what to do; "" where it can."""
        if not self.served:
            return "Live generation needs the app's own server: start it with `harmonylens app` or `make app`."
        if not self.allowed:
            return (
                "This app may be reached from beyond its machine, so live generation is off; whoever runs it can turn "
                "it on with `harmonylens app --allow-live`."
            )
        return ""

    @property
    def reason_not_to_start(self) -> str:
        """Why no process can be started, in a sentence with what to do; "" where one can."""
        if self.reason or self.is_private or self.starts:
            return self.reason
        return (
            "This app may be reached from beyond its machine, so it starts no servers; whoever runs it can turn that "
            "on with `harmonylens app --allow-live --allow-start`. Everyone who reaches it can then run programs there."
        )


GATE: Final = Gate()
"""Of this process; :func:`inspector.app.run` sets it."""
