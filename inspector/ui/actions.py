"""What a person can do with what is on screen: draw it again, save it, send its link, take it along."""

from __future__ import annotations

import streamlit as st

from .export_panel import export_panel
from .inspecting import Given
from .live_inspect import live_panel
from .save_panel import save_panel
from .share_panel import share_panel
from .state import Bench


def actions(work: Bench, given: Given) -> None:
    """Draw the row of actions; each opens its own panel."""
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        live_panel(work, given)
        save_panel(work, given)
        share_panel(work, given)
        export_panel(work, given)
