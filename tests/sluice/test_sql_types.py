"""DuckDB's spelling of types and names."""

from __future__ import annotations

import duckdb
import pytest

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
from sluice.sql_types import duckdb_type, quote_identifier, quote_literal


@pytest.mark.parametrize(
    ("datatype", "name"),
    [
        pytest.param(Text(), "VARCHAR", id="text"),
        pytest.param(Json(), "VARCHAR", id="json"),
        pytest.param(Integer(32), "INTEGER", id="int"),
        pytest.param(Integer(64), "BIGINT", id="long"),
        pytest.param(Decimal(38, 2), "DECIMAL(38,2)", id="decimal"),
        pytest.param(Double(), "DOUBLE", id="double"),
        pytest.param(Boolean(), "BOOLEAN", id="boolean"),
        pytest.param(Date("%d.%m.%Y"), "DATE", id="date"),
        pytest.param(Timestamp("Europe/Berlin"), "TIMESTAMP WITH TIME ZONE", id="timestamp"),
        pytest.param(
            Struct((Field('a"b', Integer()), Field("select", ListOf(Decimal(4, 1))))),
            'STRUCT("a""b" BIGINT, "select" DECIMAL(4,1)[])',
            id="nested",
        ),
    ],
)
def test_duckdb_knows_the_type_by_this_name(datatype: DataType, name: str) -> None:
    with duckdb.connect() as engine:
        found = engine.execute(f"SELECT typeof(CAST(NULL AS {duckdb_type(datatype)}))").fetchall()

    assert found == [(name,)]


@pytest.mark.parametrize("text", ["plain", "it's", 'a "b"', "; DROP TABLE x --", "", "ünï\n"], ids=repr)
def test_any_text_is_a_literal(text: str) -> None:
    with duckdb.connect() as engine:
        assert engine.execute(f"SELECT {quote_literal(text)}").fetchall() == [(text,)]


@pytest.mark.parametrize("name", ["plain", "it's", 'a "b"', "order", "ünï"], ids=repr)
def test_any_name_is_an_identifier(name: str) -> None:
    with duckdb.connect() as engine:
        assert engine.execute(f"SELECT 1 AS {quote_identifier(name)}").description[0][0] == name
