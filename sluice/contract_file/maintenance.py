"""The contract's `maintenance`: how much of the past is kept, how large files should be."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sluice.contract_file.cost import fields_of
from sluice.contract_file.duration import read_duration
from sluice.contract_file.size import read_bytes
from sluice.maintenance.policy import MaintenancePolicy

if TYPE_CHECKING:
    from sluice.contract_file.place import Place

_FIELDS = ("keep_snapshots", "keep_days", "target_file_bytes", "compact_after", "grace")
_USUAL = MaintenancePolicy()
_SHORTEST_GRACE = timedelta(hours=1)


def read_maintenance(value: object, place: Place) -> MaintenancePolicy:
    """Return the policy; `value` is what is written, None when nothing is."""
    fields = fields_of(value, place, _FIELDS)
    return MaintenancePolicy(
        keep_snapshots=_whole(fields, "keep_snapshots", place, (1, 300), _USUAL.keep_snapshots),
        keep_days=_whole(fields, "keep_days", place, (0, 3650), _USUAL.keep_days),
        target_file_bytes=read_bytes(
            fields.get("target_file_bytes"), place["target_file_bytes"], _USUAL.target_file_bytes
        ),
        compact_after=read_duration(fields.get("compact_after"), place["compact_after"], _USUAL.compact_after),
        grace=_grace(fields.get("grace"), place["grace"]),
    )


def _grace(value: object, place: Place) -> timedelta:
    found = read_duration(value, place, _USUAL.grace)
    if found < _SHORTEST_GRACE:
        place.refuse(
            f'is "{value}", and a run that takes longer would lose its files.',
            "Write at least 1 h, and more than the longest run takes.",
        )
        return _USUAL.grace
    return found


def _whole(fields: dict[str, object], name: str, place: Place, limits: tuple[int, int], usual: int) -> int:
    value = fields.get(name, usual)
    least, most = limits
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    place[name].refuse(f'is "{value}".', f"Write a whole number from {least:,} to {most:,}.")
    return usual
