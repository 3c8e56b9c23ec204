"""From a session to the workers: what is asked for a person is asked for their session, and ends when they leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ..isolation import CutOff, Reason
from ..workers import workers

P = ParamSpec("P")
R = TypeVar("R")


def apart(function: Callable[P, R], deadline: float, /, *args: P.args, **kwargs: P.kwargs) -> R:
    """What ``function``, of a module without Streamlit, returns or raises in a worker.

    Raises:
        CutOff: it was not finished within ``deadline`` seconds or the memory that there is.
    """
    session = this_session()
    try:
        return workers().call(session, function, deadline, lambda: _is_here(session), *args, **kwargs)
    except CutOff as error:
        if error.reason is Reason.LEFT:
            st.stop()
        raise


def this_session() -> str:
    """The session that is drawn now; "" outside of one."""
    context = get_script_run_ctx()
    return context.session_id if context is not None else ""


def _is_here(session: str) -> bool:
    """Whether the browser is still there; outside of a server somebody always is."""
    return not session or not st.runtime.exists() or st.runtime.get_instance().is_active_session(session)
