"""The Rules page."""

from inspector.ui.rules_page import show

show()
