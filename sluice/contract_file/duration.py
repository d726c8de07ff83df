"""A length of time, written with its unit."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluice.contract_file.place import Place

_WRITTEN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?(ms|s|min|h|d)", re.ASCII)
_MILLISECONDS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_LONGEST = timedelta(days=31)


def read_duration(value: object, place: Place, usual: timedelta) -> timedelta:
    """Return what is written, above 0 and at most a month; `usual` when nothing is, or after refusing."""
    if value is None:
        return usual
    written = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    found = timedelta(milliseconds=float(Decimal(written[1]) * _MILLISECONDS[written[2]])) if written else timedelta()
    if timedelta() < found <= _LONGEST:
        return found
    place.refuse(f'is "{value}", no length of time up to 31 d.', "Write it with its unit: 500 ms, 30 s, 10 min, 2 h.")
    return usual
