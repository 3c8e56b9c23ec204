"""Whether this app may sample: it contacts servers and starts processes for whoever can open the page.

On this machine alone that is the person at it. An app that others reach is open to them only if its owner said so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class Gate:
    """How the app was started.

    Attributes:
        served: whether the addresses of :mod:`inspector.live.route` are there.
        allowed: whether engines may be connected and started.
        is_private: whether only this machine reaches the app. Only then is the API key of the environment used: who
            names a server would be sent it.
    """

    served: bool = False
    allowed: bool = False
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


GATE: Final = Gate()
"""Of this process; :func:`inspector.app.run` sets it."""
