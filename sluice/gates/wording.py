"""Shares and sizes as people read them in explanations."""

from __future__ import annotations

_SMALLEST_SHARE = 0.001
_UNITS = (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000))


def percent(share: float) -> str:
    """Return `12.0 %`; of small shares two digits, so that a few among millions do not read as none."""
    return f"{share * 100:.2g} %" if 0 < share < _SMALLEST_SHARE else f"{share * 100:.1f} %"


def size(size_bytes: float) -> str:
    """Return `16.0 MB`, in decimal units as Athena and S3 bill them."""
    for unit, factor in _UNITS:
        if size_bytes >= factor:
            return f"{size_bytes / factor:,.1f} {unit}"
    return f"{size_bytes:,.0f} bytes"
