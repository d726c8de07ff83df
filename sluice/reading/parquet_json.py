"""Rows of an Arrow batch as JSON objects, one a row, so that one transform serves every format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sluice.sql_types import quote_literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


_LISTS = (pa.ListType, pa.LargeListType, pa.FixedSizeListType)


def json_objects(connection: DuckDBPyConnection, batch: pa.RecordBatch) -> pa.StringArray:
    """Return one JSON text for each row; the session must be in UTC. Raises duckdb.Error for what has no JSON form."""
    # Columns get plain names: those in the file may differ in case only, which SQL cannot tell apart.
    columns = [_readable(column) for column in batch.columns]
    rows = pa.table(columns, names=[f"c{index}" for index in range(len(columns))])
    members = ", ".join(
        f"{quote_literal(name)}, {_json(f'c{index}', column.type)}"
        for index, (name, column) in enumerate(zip(batch.schema.names, columns, strict=True))
    )
    connection.register("rows", rows)
    result = connection.sql(f"SELECT CAST(json_object({members}) AS VARCHAR) AS line FROM rows").to_arrow_table()
    lines: pa.StringArray = result.column(0).combine_chunks()
    return lines


def _readable(column: pa.Array[Any]) -> pa.Array[Any]:
    """Cast the two types that DuckDB does not read."""
    if pa.types.is_float16(column.type):
        return column.cast(pa.float32())
    if pa.types.is_decimal256(column.type):
        return column.cast(pa.string())
    return column


def _json(value: str, datatype: pa.DataType, depth: int = 0) -> str:
    """Return the expression of a value that `json_object` writes without loss."""
    if _is_plain(datatype):
        return value
    item = f"e{depth}"
    if pa.types.is_floating(datatype):
        # JSON has no nan or inf: as text they reach the transform, which refuses them by name.
        return f"CASE WHEN isfinite({value}) THEN to_json({value}) ELSE to_json(CAST({value} AS VARCHAR)) END"
    if pa.types.is_struct(datatype):
        members = (
            f"{quote_literal(field.name)}, {_json(f'struct_extract_at({value}, {index})', field.type, depth)}"
            for index, field in enumerate(datatype, start=1)
        )
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE json_object({', '.join(members)}) END"
    if pa.types.is_map(datatype):
        key = f"key := CAST({item}.key AS VARCHAR)"
        pair = f"struct_pack({key}, value := to_json({_json(f'{item}.value', datatype.item_type, depth + 1)}))"
        return f"to_json(map_from_entries(list_transform(map_entries({value}), lambda {item}: {pair})))"
    if isinstance(datatype, _LISTS):
        element = f"to_json({_json(item, datatype.value_type, depth + 1)})"
        return f"to_json(list_transform({value}, lambda {item}: {element}))"
    return f"base64({value})"


def _is_plain(datatype: pa.DataType) -> bool:
    """Say whether DuckDB writes every value of this type as exact and valid JSON by itself."""
    if pa.types.is_struct(datatype):
        return all(_is_plain(field.type) for field in datatype)
    if pa.types.is_map(datatype):
        return _is_plain(datatype.key_type) and _is_plain(datatype.item_type)
    if isinstance(datatype, _LISTS):
        return _is_plain(datatype.value_type)
    return not (pa.types.is_floating(datatype) or _is_binary(datatype))


def _is_binary(datatype: pa.DataType) -> bool:
    return (
        pa.types.is_binary(datatype)
        or pa.types.is_large_binary(datatype)
        or pa.types.is_fixed_size_binary(datatype)
        or pa.types.is_binary_view(datatype)
    )
