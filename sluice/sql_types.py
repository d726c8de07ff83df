"""DuckDB's spelling of what a contract declares: types, identifiers, literals."""

from __future__ import annotations

from sluice.datatypes import Boolean, DataType, Date, Decimal, Double, Integer, Json, ListOf, Struct, Text, Timestamp


def quote_identifier(name: str) -> str:
    """Return `name` as a quoted SQL identifier, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Return `text` as a SQL string literal, for statements that take no parameters (COPY, lambdas)."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_type(datatype: DataType) -> str:
    """Return the DuckDB type that holds every value of `datatype`; instants are TIMESTAMPTZ, JSON values their text."""
    match datatype:
        case Text() | Json():
            return "VARCHAR"
        case Integer(bits):
            return {32: "INTEGER", 64: "BIGINT"}[bits]
        case Decimal(precision, scale):
            return f"DECIMAL({precision},{scale})"
        case Double():
            return "DOUBLE"
        case Boolean():
            return "BOOLEAN"
        case Date():
            return "DATE"
        case Timestamp():
            return "TIMESTAMPTZ"
        case Struct(fields):
            members = ", ".join(f"{quote_identifier(member.name)} {duckdb_type(member.type)}" for member in fields)
            return f"STRUCT({members})"
        case ListOf(element):
            return f"{duckdb_type(element)}[]"
