"""A contract's columns as Dagster shows them: types, constraints, descriptions, and where they come from."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import dagster as dg

from sluice.contract import PARTITION_COLUMN
from sluice.sql_types import duckdb_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sluice.contract import Column, Contract, Rules


def column_schema(contract: Contract) -> dg.TableSchema:
    """Return the schema of the published table; nested types are written as DuckDB writes them."""
    return dg.TableSchema(
        columns=[
            *(_table_column(contract, column) for column in contract.columns),
            dg.TableColumn(PARTITION_COLUMN, "DATE", description="The partition: the UTC date of the raw files."),
        ]
    )


def same_columns_of(upstream: dg.AssetKey, contract: Contract) -> dg.TableColumnLineage:
    """Return the lineage of an asset whose columns are those of another."""
    names = [*(column.name for column in contract.columns), PARTITION_COLUMN]
    return dg.TableColumnLineage({name: [dg.TableColumnDep(upstream, name)] for name in names})


def lineage_of(sources: Mapping[str, Iterable[tuple[dg.AssetKey, str]]]) -> dg.TableColumnLineage:
    """Return lineage from (asset, column) pairs per column."""
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(key, column) for key, column in pairs] for name, pairs in sources.items()}
    )


def _table_column(contract: Contract, column: Column) -> dg.TableColumn:
    is_key = column.name in contract.primary_key
    return dg.TableColumn(
        name=column.name,
        type=duckdb_type(column.type),
        description=column.description or None,
        constraints=dg.TableColumnConstraints(
            nullable=not column.required,
            unique=column.unique or contract.primary_key == (column.name,),
            other=[*(["primary key"] if is_key else []), *_rules(column.rules)],
        ),
        tags={"classification": column.classification} if column.classification else {},
    )


def _rules(rules: Rules) -> list[str]:
    shown = []
    for field in fields(rules):
        limit = getattr(rules, field.name)
        if limit not in {None, ()}:
            text = ", ".join(limit) if isinstance(limit, tuple) else str(limit)
            shown.append(f"{field.name.replace('_', ' ')}: {text}")
    return shown
