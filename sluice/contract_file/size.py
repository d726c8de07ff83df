"""A number of bytes, written as a number or with a unit."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluice.contract_file.place import Place

_WRITTEN = re.compile(r"(\d+(?:\.\d+)?) ?(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)")
_UNITS = {unit: 1000**power for power, unit in enumerate(("B", "kB", "MB", "GB", "TB"))}
_BINARY_UNITS = {unit: 1024**power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), start=1)}
_FACTORS = {**_UNITS, **_BINARY_UNITS, "KB": 1000}


def read_bytes(value: object, place: Place, usual: int) -> int:
    """Return whole bytes above 0; `usual` when nothing is written, or after refusing."""
    if value is None:
        return usual
    written = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    found = Decimal(written[1]) * _FACTORS[written[2]] if written else value
    if isinstance(found, int | Decimal) and not isinstance(found, bool) and found >= 1:
        return int(found)
    place.refuse(f'is "{value}", no number of bytes.', "Write a number above 0, alone or with a unit: 16 MB, 512 KiB.")
    return usual
