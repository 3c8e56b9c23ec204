"""The Live page."""

from inspector.ui.live_page import show

show()
