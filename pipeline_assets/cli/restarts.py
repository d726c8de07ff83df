"""How often, and how soon, a server that ended by itself is started again."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 5
WINDOW_SECONDS = 600.0
_FIRST_SECONDS = 1.0


def seconds_before_restart(ends: Sequence[float]) -> float | None:
    """Return the wait after the last of these moments, None when there were too many within the window."""
    lately = sum(end > ends[-1] - WINDOW_SECONDS for end in ends)
    return _FIRST_SECONDS * 2.0 ** (lately - 1) if lately <= MOST else None
