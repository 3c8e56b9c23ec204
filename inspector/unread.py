"""One transcript that we fail at never takes others with it: its tokens stand there unread, with a sentence.

:func:`inspector.inspection.inspect` raises for no tokens at all. Where it does nevertheless, that is a defect of ours:
a list, a run or an export then goes on with the others, and says which one it was.
"""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .harmony.tree import StrayNode, Tree
from .harmony.verdict import StrictError, Verdict
from .inspection import RELEASES, Inspection, Repair
from .isolation import CutOff
from .serving.finish import Finish
from .tokens import Span, Transcript

_LONGEST: Final = 300
_OURS: Final = Path(__file__).parent
_LOG: Final = logging.getLogger(__name__)
_LOGGED: Final[deque[str]] = deque(maxlen=100)
"""What the log has lately: a page that asks again and again is no reason to write it again and again."""


def reading(look: Callable[[Transcript], Inspection], transcript: Transcript) -> tuple[Inspection, str]:
    """What ``look`` makes of a transcript, and ""; where it fails, its tokens unread, and why in a sentence.

    Args:
        look: :func:`inspector.inspection.inspect`, or what is built on it.
        transcript: whose tokens are kept in any case.

    Raises:
        CutOff: a worker did not finish it, which is no defect.
    """
    try:
        return look(transcript), ""
    except CutOff:
        raise
    except Exception as error:  # noqa: BLE001
        # Whatever it is: the others are not to blame for it.
        sentence = defect(error, "reading this transcript")
        return unread(transcript, sentence), sentence


def defect(error: Exception, doing: str) -> str:
    """A failure of ours in a sentence: what, where, and what can be done. The trace goes to the log.

    Args:
        error: what was raised.
        doing: a phrase: "reading this transcript".
    """
    frames = [one for one in traceback.extract_tb(error.__traceback__) if Path(one.filename).is_relative_to(_OURS)]
    where = f", {Path(frames[-1].filename).relative_to(_OURS.parent)} line {frames[-1].lineno}" if frames else ""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
    if f"{said}{where}" not in _LOGGED:
        _LOGGED.append(f"{said}{where}")
        _LOG.error("harmonylens failed at %s", doing, exc_info=error)
    return (
        f"harmonylens failed at {doing} ({said}{where}). This is a defect of harmonylens, not of the transcript: its "
        "tokens are kept, save them as a record and report it with them."
    )


def unread(transcript: Transcript, sentence: str) -> Inspection:
    """An inspection that says nothing but ``sentence``: every token is there, and nothing about it is known.

    No release is said to accept it, so it is green nowhere.
    """
    ids = transcript.ids
    nodes = (StrayNode(0, len(ids)),) if ids else ()
    error = StrictError(f"not known: {sentence}", 0, Span(0, 0), "E1")
    return Inspection(
        transcript,
        Tree(transcript, nodes),
        tuple(Verdict(release, "strict", (), error) for release in RELEASES),
        (),
        Repair(ids, transcript.role, False, error, (), (), ()),
        None,
        Finish(None, transcript.finish_reason, None, transcript.stop_reason, False, False),
    )
