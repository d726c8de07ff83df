"""The drift of one built partition as people read it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sluice.drift_kind import DriftKind
from sluice.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.outcome import FieldDrift, Outcome

_SHOWN = 5
_WORDS = {
    DriftKind.UNKNOWN: "{field} is not declared",
    DriftKind.MISSING: "{field} is missing",
    DriftKind.RETYPED: "{field} is of another type",
}


def drift_text(outcome: Outcome) -> str:
    """Return one sentence per field: how many objects, which share of their records."""
    keys = {item.key for item in outcome.drifted}
    total = len(outcome.objects)
    objects = f"{len(keys):,} of {counted(total, 'object')}"
    if not keys:
        return f"No object differs from the contract, of {total:,}."
    found = drift_by_field(outcome)
    said = [_sentence(outcome, kind, field, items) for (kind, field), items in list(found.items())[:_SHOWN]]
    more = [f"and {len(found) - _SHOWN:,} more fields"] if len(found) > _SHOWN else []
    return f"{objects} {'differs' if len(keys) == 1 else 'differ'} from the contract: {'; '.join([*said, *more])}."


def drift_by_field(outcome: Outcome) -> Mapping[tuple[DriftKind, str], list[FieldDrift]]:
    """Return what drifted by kind and field, the field of most objects first."""
    found: defaultdict[tuple[DriftKind, str], list[FieldDrift]] = defaultdict(list)
    for item in outcome.drifted:
        found[item.kind, item.field].append(item)
    return dict(sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0])))


def share_of(outcome: Outcome, items: list[FieldDrift]) -> float:
    """Return which share of the records of these objects differs."""
    keys = {item.key for item in items}
    records_in = sum(item.records_in for item in outcome.objects if item.key in keys)
    return sum(item.records for item in items) / records_in if records_in else 0.0


def _sentence(outcome: Outcome, kind: DriftKind, field: str, items: list[FieldDrift]) -> str:
    names = [item.key.rpartition("/")[2] for item in items]
    where = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1:,} more"
    return f"{_WORDS[kind].format(field=field)} in {share_of(outcome, items):.0%} of the records of {where}"
