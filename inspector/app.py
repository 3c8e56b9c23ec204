"""The app. ``streamlit run inspector/app.py``, or :func:`run` from a console script, from any folder."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Final

APP: Final = Path(__file__).resolve()

if str(APP.parent.parent) not in sys.path and __name__ == "__main__":
    # A checkout that is not installed: Streamlit puts the script's own folder in the path, not the project's.
    sys.path.append(str(APP.parent.parent))

import streamlit as st  # noqa: E402

HOST: Final = "127.0.0.1"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
"""The names of this machine to itself: the hosts that are allowed unless more are named."""

USUAL_PORT: Final = 8501
START_S: Final = 30
_CANCELLED: Final = "CancelledError"
"""The last word of a traceback of what was cancelled."""


class PortError(OSError):
    """A port that cannot be listened at; the message is one sentence that says what to do."""


def main() -> None:
    """Draw the page that the address asks for. Streamlit runs this for every visit and every change."""
    from inspector.ui.own_streamlit import settings_of_the_folder
    from inspector.ui.plain import as_markdown

    foreign = settings_of_the_folder()
    if foreign is not None:
        st.error(
            as_markdown(
                f"This app takes no settings from the folder that it is started in, and Streamlit has read {foreign}. "
                "Start it with the command harmonylens app, or from another folder."
            )
        )
        return
    from inspector.ui.chrome import frame, links, page_file

    # Pictures of our own: Streamlit would fetch its symbols for the page's icon from the network.
    pictures = APP.parent / "ui"
    st.set_page_config(page_title="harmonylens", page_icon=pictures / "icon.svg", layout="wide")
    st.logo(pictures / "logo.svg", size="medium")
    pages = [
        st.Page(page_file("inspect"), title="Inspect", default=True),
        st.Page(page_file("live"), title="Live"),
        st.Page(page_file("gallery"), title="Gallery"),
        st.Page(page_file("rules"), title="Rules"),
    ]
    frame()
    page = st.navigation(pages, position="hidden")
    links(pages)
    page.run()


def run(
    port: int | None = None,
    open_browser: bool = True,
    host: str = HOST,
    allowed: Sequence[str] = LOOPBACK,
    *,
    expose_to_network: bool = False,
    allow_live: bool | None = None,
    allow_start: bool = False,
) -> None:
    """Serve the app until it is interrupted; on this machine only, unless ``host`` says otherwise.

    Args:
        port: the usual 8501 when it is free, else any free one, when not given.
        open_browser: whether to open a browser at it.
        host: the address to listen at. Anything but a loopback address lets everyone in who can reach it.
        allowed: names and addresses under which browsers may reach it; requests for any other are refused.
        expose_to_network: that listening beyond this machine is meant: whoever reaches the port can read, save and
            delete samples, without a login.
        allow_live: whether the Live page may connect engines; by default only where :func:`is_private`. To whoever
            opens the page that is a way to every address that this machine reaches.
        allow_start: whether it may start some as well where the app is not private. To whoever opens the page that is
            a way to run programs on this machine.

    Raises:
        ValueError: ``host`` is no loopback address, and that was not said to be meant.
        PortError: the port cannot be had, or none of that host.
    """
    if not is_loopback(host) and not expose_to_network:
        raise ValueError(
            f"host {host!r} would let everyone who can reach this machine read, save and delete samples, without a "
            "login; pass expose_to_network=True if that is meant"
        )
    # What Streamlit takes for the main script.
    sys.argv = [str(APP)]
    number = _free_port(host, port)
    if open_browser:
        threading.Thread(target=_open_when_up, args=(host, number), daemon=True).start()
    from starlette.middleware import Middleware

    from inspector.live.gate import GATE
    from inspector.live.route import routes
    from inspector.ui.chrome import STYLE
    from inspector.ui.early import EarlyStyle
    from inspector.ui.host_guard import HostGuard, as_browsers_write, origins_of
    from inspector.ui.own_streamlit import isolate

    isolate()
    logging.getLogger("uvicorn.error").addFilter(_is_no_ending)
    GATE.served, GATE.is_private = True, is_private(host, allowed, expose_to_network=expose_to_network)
    GATE.allowed = GATE.is_private if allow_live is None else allow_live
    GATE.starts = GATE.allowed and allow_start
    middleware = [
        Middleware(HostGuard, allowed=tuple(allowed)),
        Middleware(EarlyStyle, style=STYLE.read_text(encoding="utf-8")),
    ]
    st.App(APP, routes=routes(), middleware=middleware, lifespan=greeting(host, number)).run(
        config={
            # Ours is said in its place.
            "logger.hideWelcomeMessage": True,
            "server.address": host,
            "server.port": number,
            "server.headless": True,
            "server.allowedHosts": list(map(as_browsers_write, allowed)),
            # A proxy may ask in another name than the page has. Without these Streamlit refuses the page's web socket.
            "server.corsAllowedOrigins": origins_of(allowed),
        }
    )


def greeting(host: str, port: int) -> Callable[[object], AbstractAsyncContextManager[None]]:
    """A lifespan of the server that says where the app is when it starts."""

    @asynccontextmanager
    async def greeted(_: object) -> AsyncIterator[None]:
        with suppress(OSError):  # nobody reads what it says: no reason not to serve
            print(f"\n  harmonylens is at {address_of(host, port)} (Ctrl-C ends it)\n", flush=True)
        yield

    return greeted


def address_of(host: str, port: int) -> str:
    """What a browser on this machine opens."""
    own = _own_address(host)
    return f"http://[{own}]:{port}" if ":" in own else f"http://{own}:{port}"


def _own_address(host: str) -> str:
    """Where this machine reaches an app that listens at ``host``, which may be all of its addresses."""
    return {"0.0.0.0": HOST, "::": "::1"}.get(host, host)


def _is_no_ending(record: logging.LogRecord) -> bool:
    """Whether what the server reports is more than that it was ended: at the second Ctrl-C it cancels what it waits
    for, and reports the cancelling of its own parts with a traceback each."""
    cause = record.exc_info[1] if record.exc_info else None
    if isinstance(cause, asyncio.CancelledError | KeyboardInterrupt):
        return False
    return not record.getMessage().rstrip().endswith(_CANCELLED)


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach ``host``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_private(host: str, allowed: Sequence[str], *, expose_to_network: bool) -> bool:
    """Whether nothing says that others than the person at this machine reach the app: it listens to this machine only,
    and goes by names of this machine's own. A proxy in front listens for others where the app itself does not: then
    its name is allowed, or it was said to be exposed."""
    return not expose_to_network and all(map(_is_own, (host, *allowed)))


def _is_own(name: str) -> bool:
    """Whether a name that browsers give is this machine's own: those beneath ``localhost`` are (RFC 6761)."""
    return is_loopback(name) or name.endswith(".localhost")


def _open_when_up(host: str, port: int) -> None:
    """Open a browser once the server answers: `st.App.run` does not do it, other than `streamlit run`."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            with closing(socket.create_connection((_own_address(host), port), timeout=1)):
                break
        except OSError:
            time.sleep(0.1)  # between two looks at the port; nothing else tells that it is open
    webbrowser.open(address_of(host, port))


def _free_port(host: str = HOST, wanted: int | None = None) -> int:
    """The port that is wanted; without one the usual port, or any that is free.

    Raises:
        PortError: it is taken, not for this user, or ``host`` is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in (USUAL_PORT, 0) if wanted is None else (wanted,):
        with closing(socket.socket(family)) as probe:
            if os.name == "posix":
                # As the server does: a port that was in use a minute ago is free. Elsewhere the option means more.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                probe.listen()
            except OSError as error:
                refused = error
                continue
            number: int = probe.getsockname()[1]
            return number
    raise PortError(_why(refused, host, wanted)) from refused


def _why(error: OSError, host: str, wanted: int | None) -> str:
    """The sentence for an address that cannot be listened at."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: give --host one that it has."
    if wanted is not None and error.errno == errno.EADDRINUSE:
        return f"Port {wanted} of {host} is taken: give another with --port, or leave --port out for one that is free."
    if wanted is not None and error.errno == errno.EACCES:
        return f"Port {wanted} is not for this user: give one above 1023 with --port."
    return f"No port of {host} can be listened at: {(error.strerror or str(error)).rstrip('.')}."


if __name__ == "__main__":
    if st.runtime.exists():
        main()
    else:
        run()
