"""From what was seen to what is declared: each column's type, and rules that tomorrow's ordinary records keep, too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.contract import PARTITION_COLUMN
from sluice.datatypes import Decimal, Double, Integer, Json, Struct, Text, Timestamp
from sluice.inference.column_names import is_key, is_personal, recency
from sluice.inference.contract_text import InferredColumn
from sluice.inference.facts import Facts, Trait
from sluice.inference.keys import LEAST_RECORDS, KeyChoice
from sluice.inference.value_types import Decision, is_legal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.inference.observation import Observation
    from sluice.inference.shape import Shape

_RESERVED_PREFIX = "_sluice"
_LEAST_REPEATED = 10
_MOSTLY = 0.8
_LONGEST_VALUE = 40


@dataclass(frozen=True, slots=True)
class NamedShapes:
    """The columns that can be declared, and why the others cannot."""

    shapes: dict[str, Shape]
    refused: tuple[str, ...]


def declarable(seen: Observation) -> NamedShapes:
    """Return the columns whose names a contract may hold; of names alike but for case the fullest column stays."""
    shapes: dict[str, Shape] = {}
    refused = []
    kept = {name.lower(): name for name in sorted(seen.columns, key=lambda name: seen.columns[name].seen)}
    for name, shape in seen.columns.items():
        problem = _name_problem(name, kept[name.lower()])
        if problem is None:
            shapes[name] = shape
        else:
            refused.append(
                f"Left out {json.dumps(name)}, so its values are ignored: {problem}. Rename it at the source."
            )
    return NamedShapes(shapes, tuple(refused))


def unambiguous(decisions: Mapping[str, Decision]) -> dict[str, Decision]:
    """Keep as JSON what would give two columns the name `a.b`, once as a column and once as member b of a."""
    dotted = {name.lower() for name in decisions if "." in name}
    return {
        name: Decision(Json(), ("kept as JSON text: its members would be called like other columns",))
        if isinstance(found.type, Struct) and any(other.startswith(f"{name.lower()}.") for other in dotted)
        else found
        for name, found in decisions.items()
    }


def infer_column(name: str, shape: Shape, decision: Decision, choice: KeyChoice, records: int) -> InferredColumn:
    """Return the column with the rules it certainly keeps, and suggestions for those it only might."""
    always = shape.seen == records
    facts = _merged(shape)
    required = name in choice.key or (always and records >= LEAST_RECORDS and _is_event_time(name, decision))
    return InferredColumn(
        name=name,
        type=decision.type,
        remarks=(*decision.remarks, *_fill_remark(shape.seen, records)),
        suggestions=tuple(_suggestions(name, facts, decision, choice, may_require=always and not required)),
        required=required,
        is_key=name in choice.key,
        personal=_is_personal(name, facts, decision),
    )


def _name_problem(name: str, kept: str) -> str | None:
    if not is_legal(name):
        return "it has no name that can be printed"
    if name.lower() == PARTITION_COLUMN or name.lower().startswith(_RESERVED_PREFIX):
        return "the name is Sluice's own"
    return None if name == kept else f"query engines cannot tell it from {json.dumps(kept)}"


def _is_event_time(name: str, decision: Decision) -> bool:
    return isinstance(decision.type, Timestamp) and recency(name) > 0


def _merged(shape: Shape) -> Facts:
    merged = Facts()
    for facts in shape.facts().values():
        merged = merged.merged(facts)
    return merged


def _fill_remark(seen: int, records: int) -> list[str]:
    return [f"filled in {seen:,} of {records:,} records"] if 0 < seen < records else []


def _suggestions(name: str, facts: Facts, decision: Decision, choice: KeyChoice, *, may_require: bool) -> list[str]:
    found = []
    if may_require and facts.count >= LEAST_RECORDS:
        found.append("required: true # never empty in the sample")
    if name in choice.possible:
        found.append(f"primaryKey: true # {choice.possible[name]}; a wrong key drops records as duplicates")
    if isinstance(decision.type, Text) and _is_enumeration(facts):
        values = ", ".join(f"{{ value: {json.dumps(value)} }}" for value in sorted(facts.distinct or ()))
        found.append(f"enum: [{values}] # all values of the sample; others would be quarantined")
    if isinstance(decision.type, Integer | Decimal | Double) and not facts.any(Trait.NEGATIVE) and not is_key(name):
        found.append("logicalTypeOptions: { minimum: 0 } # nothing below in the sample")
    return found


def _is_enumeration(facts: Facts) -> bool:
    values = facts.distinct
    if not values or facts.count < max(LEAST_RECORDS, _LEAST_REPEATED * len(values)):
        return False
    return all(len(value) <= _LONGEST_VALUE for value in values)


def _is_personal(name: str, facts: Facts, decision: Decision) -> bool:
    if not isinstance(decision.type, Text):
        return False
    return is_personal(name) or any(facts.mostly(trait, _MOSTLY) for trait in (Trait.EMAIL, Trait.ADDRESS))
