"""Arguments of expectations as SQL literals.

They are literals and not parameters because one condition is part of several statements. All were checked against the
column's type when the contract was read.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sluice.datatypes import Text
from sluice.sql_types import duckdb_type, quote_literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluice.datatypes import DataType

_EXACT_DIGITS = 36


def literal(value: object, datatype: DataType | None = None) -> str:
    """Return a literal; text becomes a value of `datatype`, numbers stay exact where DuckDB has an exact type."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | Decimal() | float():
            return _number(Decimal(str(value)))
        case None:
            return "NULL"
        case _ if datatype is None or isinstance(datatype, Text):
            return quote_literal(str(value))
        case _:
            return f"CAST({quote_literal(str(value))} AS {duckdb_type(datatype)})"


def literals(values: Iterable[object], datatype: DataType) -> str:
    """Return a comma-separated list without nulls: a missing value is in no set."""
    return ", ".join(literal(value, datatype) for value in values if value is not None)


def _number(number: Decimal) -> str:
    digits = format(number, "f")
    return digits if len(digits) <= _EXACT_DIGITS else f"CAST({quote_literal(str(number))} AS DOUBLE)"
