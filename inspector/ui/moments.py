"""Times as a person reads them: in the time zone of their browser."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def moment(at: str, now: datetime | None = None) -> str:
    """A time of a revision: "12:03" today, "1 March 2026, 12:03" else; with UTC where the browser's zone is unknown.

    Args:
        at: ISO 8601 in UTC, as :class:`inspector.gallery.saved.Revision` has it; "" is "at an unknown time".
        now: for tests.
    """
    zone = _zone()
    try:
        then = datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone(zone)
    except (ValueError, OverflowError):
        return "at an unknown time"
    clock = f"{then:%H:%M}{' UTC' if zone is UTC else ''}"
    if then.date() == (now or datetime.now(UTC)).astimezone(zone).date():
        return clock
    return f"{then.day} {then:%B %Y}, {clock}"


def _zone() -> tzinfo:
    name = st.context.timezone
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        # A browser can say anything.
        return UTC
