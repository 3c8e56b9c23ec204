"""The Inspect page."""

from inspector.ui.inspect_page import show

show()
