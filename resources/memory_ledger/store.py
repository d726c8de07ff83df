"""What the parts of a memory ledger share."""

from __future__ import annotations

import threading

Place = tuple[str, str]
"""Dataset and partition."""


class Store:
    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
