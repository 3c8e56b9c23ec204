"""The addresses at which the browser asks for a run: beside the app's own, on the same server.

``GET _live/RUN`` is the summary, ``GET _live/RUN/N?have=COUNT`` what is new of a sample, ``POST _live/RUN/stop`` ends
the run. An answer waits until there is something to say (``seen=VERSION``, or more than ``have`` tokens), so nobody
polls in vain. The id of a run cannot be guessed: who has it, has the address of
the page that shows the run.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ..unread import defect
from .runs import RUNS, LiveRun
from .telling import Teller

WAIT_S: Final = 15.0
"""Seconds that an answer waits for news; the browser then asks again."""

PREFIX: Final = "_live"
GONE: Final = "This run is no longer kept by the server. What was sent to Inspect or saved is still there.\n"

DAMAGED: Final = 422
"""The status of an answer about a sample whose tokens cannot be shown; its text is a sentence."""

_TELLERS: Final[OrderedDict[str, Teller]] = OrderedDict()
_LOCK: Final = Lock()
_MOST: Final = 32
_NEVER: Final = {"cache-control": "no-store"}


def routes() -> list[Route]:
    """To be mounted beside Streamlit's own."""
    return [
        Route(f"/{PREFIX}/{{run}}", _summary, methods=["GET"]),
        Route(f"/{PREFIX}/{{run}}/stop", _stop, methods=["POST"]),
        Route(f"/{PREFIX}/{{run}}/{{number:int}}", _tokens, methods=["GET"]),
    ]


async def _summary(request: Request) -> Response:
    run = RUNS.find(request.path_params["run"])
    if run is None:
        return PlainTextResponse(GONE, 404)
    run.looked()
    seen = _number(request, "seen")
    await _until(run, lambda: run.version != seen)
    body = await asyncio.to_thread(_teller(run).summary)
    return Response(body, media_type="application/json", headers=_NEVER)


async def _tokens(request: Request) -> Response:
    run = RUNS.find(request.path_params["run"])
    if run is None:
        return PlainTextResponse(GONE, 404)
    number, have = request.path_params["number"], _number(request, "have")
    if number >= len(run.prompts):
        return PlainTextResponse(f"This run has {len(run.prompts)} samples: there is no sample {number}.\n", 404)
    run.looked()
    was_done = _number(request, "done") == 1

    def news() -> bool:
        return run.count(number) != have or (run.is_done(number) and not was_done)

    await _until(run, news)
    try:
        body = await asyncio.to_thread(_teller(run).tokens, number, have)
    except Exception as error:  # noqa: BLE001
        # Asked again it would fail again: the page is told, and asks no more for this one.
        return PlainTextResponse(f"{defect(error, 'showing this sample')}\n", DAMAGED, headers=_NEVER)
    return Response(body, media_type="application/octet-stream", headers=_NEVER)


async def _stop(request: Request) -> Response:
    run = RUNS.find(request.path_params["run"])
    if run is None:
        return PlainTextResponse(GONE, 404)
    run.stop()
    return PlainTextResponse("Stopping.\n")


def _teller(run: LiveRun) -> Teller:
    with _LOCK:
        teller = _TELLERS.get(run.id) or Teller(run)
        _TELLERS[run.id] = teller
        _TELLERS.move_to_end(run.id)
        for name in [name for name in _TELLERS if name != run.id and RUNS.find(name) is None]:
            del _TELLERS[name]
        while len(_TELLERS) > _MOST:
            _TELLERS.popitem(last=False)
        return teller


async def _until(run: LiveRun, news: Callable[[], bool]) -> None:
    """Return when there is news, or after :data:`WAIT_S`."""
    if news():
        return
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(changed.set)

    leave = run.listen(wake)
    try:
        async with asyncio.timeout(WAIT_S):
            while not news():
                await changed.wait()
                changed.clear()
    except TimeoutError:
        return
    finally:
        leave()


def _number(request: Request, name: str) -> int:
    """A whole number of the query, -1 where there is none."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
