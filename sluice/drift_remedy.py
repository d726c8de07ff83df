"""What the next contract says about drift: columns for new fields, other names, casts; what is left to a person."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.contract import Shim
from sluice.datatypes import Boolean, Decimal, Double, Integer, Json, ListOf, Struct, Text, Timestamp
from sluice.drift import type_text
from sluice.drift_kind import DriftKind
from sluice.inference.contract_text import InferredColumn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sluice.datatypes import DataType
    from sluice.drift import Drift

_NUMBERS = Integer | Decimal | Double


@dataclass(frozen=True, slots=True)
class Amendment:
    """`columns` are new; `shims` is what is added to those of columns there are, `remarks` what is said above them."""

    columns: tuple[InferredColumn, ...]
    shims: Mapping[str, Shim]
    remarks: Mapping[str, tuple[str, ...]]

    @property
    def changes_rows(self) -> bool:
        return bool(self.columns or self.shims)


def amendment_for(found: Sequence[Drift]) -> Amendment:
    names: defaultdict[str, list[str]] = defaultdict(list)
    casts: set[str] = set()
    columns: list[InferredColumn] = []
    remarks: defaultdict[str, list[str]] = defaultdict(list)
    for item in found:
        match item.kind:
            case DriftKind.UNKNOWN if item.may_be is not None:
                names[item.may_be].append(item.field)
                remarks[item.may_be].append(f"called {item.field} in {item.share:.1%} of the records looked at")
            case DriftKind.UNKNOWN if item.seen_type is not None:
                remark = f"in {item.share:.1%} of the records looked at"
                columns.append(InferredColumn(item.field, item.seen_type, remarks=(remark,)))
            case DriftKind.RETYPED if converts(item.seen_type, item.declared_type):
                casts.add(item.field)
                remarks[item.field].append(f"{type_text(item.seen_type)} in {item.share:.1%} of the records looked at")
            case DriftKind.RETYPED:
                remarks[item.field].append(
                    f"CHOOSE: {type_text(item.seen_type)} in {item.share:.1%} of the records looked at; have it sent "
                    "as before, or declare it anew under another name (a type may only grow)"
                )
            case DriftKind.MISSING if item.may_be is None:
                remarks[item.field].append(
                    f"CHOOSE: missing in {item.share:.1%} of the records looked at; remove required, or add "
                    "customProperties: [{property: sluice, value: {default: VALUE}}]"
                )
    shims = {name: Shim(tuple(names.get(name, ())), cast=name in casts) for name in sorted({*names, *casts})}
    return Amendment(tuple(columns), shims, {name: tuple(texts) for name, texts in remarks.items()})


def converts(seen: DataType | None, declared: DataType | None) -> bool:
    """Whether `cast: true` is likely to take values of the type that was seen."""
    match declared:
        case Timestamp(format=None):
            return isinstance(seen, _NUMBERS)
        case Boolean():
            return isinstance(seen, Integer)
        case Integer() | Decimal() | Double():
            return isinstance(seen, Boolean)
        case Text():
            return isinstance(seen, Json | Struct | ListOf)
        case _:
            return False
