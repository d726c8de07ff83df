"""The narrowest type that holds every value seen and leaves room for tomorrow's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from sluice.datatypes import (
    Boolean,
    DataType,
    Date,
    Decimal,
    Double,
    Field,
    Integer,
    Json,
    ListOf,
    Struct,
    Text,
    Timestamp,
)
from sluice.inference.column_names import is_digits, is_money, is_open_ended, is_surely_money
from sluice.inference.facts import UNKNOWN_ZONE, Facts, Trait
from sluice.inference.shape import FEW, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sluice.inference.shape import Shape

_LEAST_MONEY = 20
_MOST_MONEY_DIGITS, _MOST_MONEY_SCALE = 12, 4
_NEARLY_ALL = 0.98
_NUMBERS = {Trait.INTEGER: "integer", Trait.NUMBER: "number"}
_TIMES = {Trait.DATE: "date", Trait.ZONED: "timestamp", Trait.INSTANT: "timestamp"}
_LEAST_FIXED_SCALE, _MOST_FIXED_SCALE = 2, 6


@dataclass(frozen=True, slots=True)
class Decision:
    """A type, and remarks where the choice needs a reason; a remark on a nested value begins with its name."""

    type: DataType
    remarks: tuple[str, ...] = ()


def decide(name: str, shape: Shape) -> Decision:
    """Return the type of what was seen under `name`."""
    if shape.seen == 0:
        return _remarked(Text(), "always empty in the sample: string until values show what it is")
    if shape.is_record and not names_clash(shape.members) and not _may_vary(name, shape):
        return _record(shape)
    if shape.is_list:
        return _list(name, shape)
    if not shape.is_scalar:
        return _remarked(Json(), "the shape varies from record to record: kept as JSON text")
    return _scalar(name, shape)


def is_legal(name: str) -> bool:
    """Whether `name` can be a column or a member."""
    return bool(name) and name.isprintable()


def names_clash(names: Iterable[str]) -> bool:
    """Whether members with these names cannot be columns: query engines ignore case and address members as `a.b`."""
    listed = list(names)
    return len({name.lower() for name in listed}) < len(listed) or not all(
        is_legal(name) and "." not in name for name in listed
    )


def _may_vary(name: str, shape: Shape) -> bool:
    return shape.objects < FEW and is_open_ended(name)


def _record(shape: Shape) -> Decision:
    decisions = {name: decide(name, member) for name, member in shape.members.items()}
    remarks = (f"{name}: {remark}" for name, decision in decisions.items() for remark in decision.remarks)
    return Decision(Struct(tuple(Field(name, found.type) for name, found in decisions.items())), tuple(remarks))


def _list(name: str, shape: Shape) -> Decision:
    if shape.element is None or shape.element.seen == 0:
        return _remarked(Json(), "always an empty list in the sample: JSON text until elements show what it holds")
    element = decide(name, shape.element)
    return Decision(ListOf(element.type), tuple(f"elements: {remark}" for remark in element.remarks))


def _scalar(name: str, shape: Shape) -> Decision:
    facts = shape.facts()
    if len(facts) > 1:
        return _mixed(facts)
    ((kind, found),) = facts.items()
    match kind:
        case Kind.BOOLEAN:
            return Decision(Boolean())
        case Kind.NUMBER:
            return _number(name, found)
        case Kind.STRING:
            return _text(found)
        case Kind.UNTYPED:
            return _field(name, found)


def _mixed(facts: Mapping[Kind, Facts]) -> Decision:
    kinds = " and ".join(sorted(f"{kind}s" for kind in facts))
    remark = f"{kinds} are mixed: every value is kept as its text"
    together = reduce(Facts.merged, facts.values())
    return Decision(Text(), (remark, *_nearly(together, _NUMBERS | _TIMES)))


def _field(name: str, facts: Facts) -> Decision:
    if facts.all(Trait.BOOLEAN):
        return Decision(Boolean())
    if not facts.all(Trait.NUMBER):
        decision = _text(facts)
        nearly = _nearly(facts, {} if is_digits(name) else _NUMBERS) if decision.type == Text() else ()
        return Decision(decision.type, (*decision.remarks, *nearly))
    if is_digits(name):
        return _remarked(Text(), "digits, but no number by its name: a leading zero must survive")
    return _number(name, facts)


def _number(name: str, facts: Facts) -> Decision:
    if facts.all(Trait.WHOLE):
        return _whole(name, facts)
    if facts.any(Trait.PADDED):
        return _remarked(Text(), "leading zeros or plus signs: kept as text")
    if not facts.all(Trait.NUMBER):
        return _remarked(Text(), "holds numbers that no double can hold: kept as text")
    if _is_decimal(name, facts):
        return _money(facts, "an exact decimal with two spare places; sums of doubles would be off")
    return Decision(Double())


def _whole(name: str, facts: Facts) -> Decision:
    if not facts.all(Trait.INTEGER):
        return _remarked(Text(), "more digits than 64 bits hold: kept as text")
    if is_surely_money(name):
        return _money(facts, "whole numbers in the sample, but money by its name")
    return Decision(Integer())


def _is_decimal(name: str, facts: Facts) -> bool:
    if not facts.all(Trait.PLAIN) or facts.count < _LEAST_MONEY or facts.most_digits > _MOST_MONEY_DIGITS:
        return False
    # Always the same number of places is how decimals are printed; doubles lose their last zeros.
    if _LEAST_FIXED_SCALE <= facts.least_scale == facts.most_scale <= _MOST_FIXED_SCALE:
        return True
    return is_money(name) and facts.most_scale <= _MOST_MONEY_SCALE


def _money(facts: Facts, remark: str) -> Decision:
    scale = max(facts.most_scale, 2) + 2
    return _remarked(Decimal(max(18, facts.most_digits + scale), scale), remark)


def _text(facts: Facts) -> Decision:
    if facts.all(Trait.DATE):
        return Decision(Date())
    if facts.all(Trait.ZONED):
        return Decision(Timestamp())
    if facts.all(Trait.INSTANT):
        return _remarked(Timestamp(UNKNOWN_ZONE), f"no time zone in the values: {UNKNOWN_ZONE} is a guess, confirm it")
    if facts.any(Trait.NANOSECONDS):
        return _remarked(Text(), "finer than microseconds, which a timestamp would cut: kept as text")
    if facts.any(Trait.OTHER_DATE):
        return _remarked(
            Text(), "looks like dates in a format of their own: declare logicalType date or timestamp with it"
        )
    return Decision(Text(), _nearly(facts, _TIMES))


def _nearly(facts: Facts, types: Mapping[Trait, str]) -> tuple[str, ...]:
    """Tell of a type that holds all values but a few: they may be mistakes that belong in quarantine."""
    for trait, logical_type in types.items():
        if facts.mostly(trait, _NEARLY_ALL):
            rest = facts.count - facts.traits[trait]
            return (
                f"all but {rest:,} of {facts.count:,} values fit logicalType {logical_type}; it would refuse those",
            )
    return ()


def _remarked(datatype: DataType, remark: str) -> Decision:
    return Decision(datatype, (remark,))
