"""CSV records taken apart: in SQL for data, in Python for headers. The reader has checked that quotes are in order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sluice.sql_types import quote_literal

if TYPE_CHECKING:
    from sluice.contract import CsvDialect


def fields_expression(line: str, dialect: CsvDialect) -> str:
    """Return a DuckDB expression for the raw texts (VARCHAR[]) of the fields of `line`, quotes and all."""
    split = f"string_split({line}, {quote_literal(dialect.delimiter)})"
    if dialect.quote is None:
        return split
    # With a delimiter put before the first field no match is empty, so none can be skipped.
    delimited = f"concat({quote_literal(dialect.delimiter)}, {line})"
    matched = f"regexp_extract_all({delimited}, {quote_literal(_field_pattern(dialect))}, 1)"
    return f"CASE WHEN contains({line}, {quote_literal(dialect.quote)}) THEN {matched} ELSE {split} END"


def field_value(field: str, dialect: CsvDialect) -> str:
    """Return a DuckDB expression for what the raw text `field` means: an empty field is NULL, a quoted empty one ''."""
    plain = f"nullif({field}, '')"
    if dialect.quote is None:
        return plain
    quote, doubled = quote_literal(dialect.quote), quote_literal(dialect.quote * 2)
    inside = f"replace(substring({field}, 2, length({field}) - 2), {doubled}, {quote})"
    return f"CASE WHEN starts_with({field}, {quote}) THEN {inside} ELSE {plain} END"


def field_texts(line: str, dialect: CsvDialect) -> tuple[str, ...]:
    """Return what the fields of one record mean, empty ones as ''."""
    if dialect.quote is None:
        return tuple(line.split(dialect.delimiter))
    raw = re.findall(_field_pattern(dialect), dialect.delimiter + line)
    return tuple(_unquoted(field, dialect.quote) for field in raw)


def _unquoted(field: str, quote: str) -> str:
    return field[1:-1].replace(quote * 2, quote) if field.startswith(quote) else field


def _field_pattern(dialect: CsvDialect) -> str:
    r"""Return a regex, for RE2 and for Python, whose group 1 is a field; `\x2c` spells a character without magic."""
    delimiter, quote = (rf"\x{ord(character or ''):02x}" for character in (dialect.delimiter, dialect.quote))
    return f"{delimiter}({quote}(?:[^{quote}]|{quote}{quote})*{quote}|[^{delimiter}{quote}]*)"
