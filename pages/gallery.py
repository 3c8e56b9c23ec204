"""The Gallery page."""

from inspector.ui.gallery_page import show

show()
