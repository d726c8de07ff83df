"""The Iceberg schema of a dataset's table, and that it takes the files DuckDB writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema, assign_fresh_schema_ids

from sluice.contract import Column, Contract
from sluice.datatypes import Boolean, Date, Decimal, Double, Field, Integer, Json, ListOf, Struct, Text, Timestamp
from sluice.sql_types import duckdb_type, quote_identifier
from sluice.table_schema import iceberg_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE = Struct((Field("sku", Text(), required=True, description="What was bought."), Field("price", Decimal(10, 2))))
CONTRACT = Contract(
    dataset="events",
    version="1.0.0",
    columns=(
        Column("id", Integer(), required=True, description="The number."),
        Column("small", Integer(32)),
        Column("text", Text()),
        Column("amount", Decimal(38, 10)),
        Column("ratio", Double()),
        Column("flag", Boolean()),
        Column("day", Date()),
        Column("at", Timestamp()),
        Column("payload", Json()),
        Column("lines", ListOf(LINE)),
        Column("a strange name.", Struct((Field("deep", ListOf(ListOf(Integer()))),))),
    ),
    primary_key=("id",),
)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    catalog = SqlCatalog("test", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/tables")
    catalog.create_namespace("sluice")
    yield catalog
    catalog.close()


def write_empty_partition(path: Path) -> None:
    """One row of NULLs in the types that the transform writes."""
    columns = [f"CAST(NULL AS {duckdb_type(c.type)}) AS {quote_identifier(c.name)}" for c in CONTRACT.columns]
    select = ", ".join([*columns, "DATE '2026-11-01' AS partition_date"])
    with duckdb.connect() as engine:
        engine.execute(f"COPY (SELECT {select}) TO '{path}' (FORMAT parquet)")


def test_types_are_those_of_the_contract() -> None:
    found = {field.name: str(field.field_type) for field in iceberg_schema(CONTRACT).fields}

    assert found == {
        "id": "long",
        "small": "int",
        "text": "string",
        "amount": "decimal(38, 10)",
        "ratio": "double",
        "flag": "boolean",
        "day": "date",
        "at": "timestamptz",
        "payload": "string",
        "lines": "list<struct<14: sku: optional string (What was bought.), 15: price: optional decimal(10, 2)>>",
        "a strange name.": "struct<16: deep: optional list<list<long>>>",
        "partition_date": "date",
    }


def test_the_partition_is_the_last_column() -> None:
    assert iceberg_schema(CONTRACT).fields[-1].name == "partition_date"


def test_descriptions_become_docs() -> None:
    schema = iceberg_schema(CONTRACT)

    assert schema.find_field("id").doc == "The number."
    assert schema.find_field("lines.element.sku").doc == "What was bought."
    assert schema.find_field("small").doc is None


def test_field_ids_are_those_a_catalog_assigns(catalog: SqlCatalog) -> None:
    schema = iceberg_schema(CONTRACT)

    table = catalog.create_table("sluice.events", schema)

    assert table.schema() == schema


def test_the_table_takes_files_that_duckdb_wrote(catalog: SqlCatalog, tmp_path: Path) -> None:
    write_empty_partition(tmp_path / "part.parquet")
    table = catalog.create_table("sluice.events", iceberg_schema(CONTRACT))

    table.add_files([str(tmp_path / "part.parquet")])

    assert table.scan().to_arrow().num_rows == 1


def test_a_required_field_would_refuse_files_that_duckdb_wrote(catalog: SqlCatalog, tmp_path: Path) -> None:
    write_empty_partition(tmp_path / "part.parquet")
    first, *others = iceberg_schema(CONTRACT).fields
    required = assign_fresh_schema_ids(Schema(first.model_copy(update={"required": True}), *others))
    table = catalog.create_table("sluice.events", required)

    with pytest.raises(ValueError, match="Mismatch"):
        table.add_files([str(tmp_path / "part.parquet")])
