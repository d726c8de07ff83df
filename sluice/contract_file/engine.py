"""The contract's `engine`: `spark`, `duckdb`, or from how many bytes on it is Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract_file.cost import fields_of
from sluice.contract_file.size import read_bytes
from sluice.errors import did_you_mean
from sluice.spark.rules import EngineRules

if TYPE_CHECKING:
    from sluice.contract_file.place import Place

_WORDS = {"duckdb": EngineRules(), "spark": EngineRules(0)}
_FIELD = "spark_above_bytes"


def read_engine(value: object, place: Place, *, is_derived: bool) -> EngineRules:
    """Return the rules; `value` is what is written, None when nothing is."""
    if value is None:
        return EngineRules()
    if is_derived:
        place.refuse("is about landed files, but this dataset is a transform.sql.", "Leave it out.")
        return EngineRules()
    if isinstance(value, str):
        if value not in _WORDS:
            place.refuse(f'is "{value}", which is no engine.', did_you_mean(value, _WORDS))
        return _WORDS.get(value, EngineRules())
    written = fields_of(value, place, (_FIELD,)).get(_FIELD)
    return EngineRules(read_bytes(written, place[_FIELD], 1)) if written is not None else EngineRules()
