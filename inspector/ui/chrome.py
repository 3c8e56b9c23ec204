"""What every page shares: its frame, and a sentence in place of a traceback."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Final, ParamSpec

import streamlit as st

from ..tokens import VocabularyError
from ..workers import prepare
from .plain import as_markdown
from .state import bench

STYLE: Final = Path(__file__).resolve().parent / "page.css"
"""The page's own style. It is a file of ours: no text of a person ever goes in there."""

P = ParamSpec("P")

_LOG: Final = logging.getLogger(__name__)
_PACKAGE: Final = Path(__file__).resolve().parents[1]


def page_file(name: str) -> Path:
    """The file of a page: inside the package of an installed wheel, beside it in a checkout.

    Raises:
        FileNotFoundError: it is in neither place, which only a broken installation explains.
    """
    for folder in (_PACKAGE / "pages", _PACKAGE.parent / "pages"):
        file = folder / f"{name}.py"
        if file.is_file():
            return file
    raise FileNotFoundError(f"{_PACKAGE / 'pages'} lacks {name}.py: the installation is incomplete, install it again.")


def frame() -> None:
    """The page's own style; where :mod:`inspector.ui.early` sent it, it is there already. A worker is made ready."""
    st.html(STYLE)
    prepare()


def links(pages: Sequence[st.Page]) -> None:
    """The names of all pages in the page's head, at any width: Streamlit's own hide behind a sign on a phone.

    The link to the Inspect page names the sample that is open there, so that Back and Forward pass it once.
    """
    with st.container(horizontal=True, gap="xxsmall", key="pages"):
        for page in pages:
            sample = st.query_params.get("sample", "") or bench().sample
            query = {"sample": sample} if sample and page.url_path == "" else None
            st.page_link(page, query_params=query)


def guarded(draw: Callable[P, None]) -> Callable[P, None]:
    """A page, or a part of one, that turns an unforeseen exception into one sentence; the server's log has the rest."""

    @wraps(draw)
    def shown(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except VocabularyError as error:
            st.error(as_markdown(str(error)))
        except Exception as error:  # noqa: BLE001
            # The last resort. What Streamlit steers a run by (rerun, stop, page switch) is no Exception and passes.
            _LOG.exception("a page failed")
            what = as_markdown(f"{type(error).__name__}: {error}"[:400])
            st.error(
                f"This is a defect of harmonylens, not of your input, which is kept: {what}. "
                "The server's log has the details; please report it."
            )

    return shown
