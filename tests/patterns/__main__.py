"""Write the page that lists every pattern: ``python -m tests.patterns``."""

from __future__ import annotations

from .listing import PAGE, page

PAGE.write_text(page(), encoding="utf-8")
