"""What Glue is told of a plain table: columns, how its partitions follow from dates, that files are in listings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyiceberg.catalog.glue import _to_columns

from resources.glue_columns import described
from sluice.contract import PARTITION_COLUMN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyiceberg.table.metadata import TableMetadata

PLAIN_TABLE_OF = "sluice.plain-table-of"
"""The parameter by which Sluice knows a table as its own."""

_RANGE = f"projection.{PARTITION_COLUMN}.range"
_FORMAT = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}


def plain_table_input(
    name: str,
    metadata: TableMetadata,
    dataset: str,
    folder: str,
    days: Sequence[str],
    present: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the table with the columns that the Iceberg table has now; its dates reach over `days`, and never shrink.

    A range that ends today would have Athena look into a folder for each date since the first, for nothing.
    """
    columns = [_plain(column) for column in _to_columns(metadata) if _is_current(column)]
    table = described(
        {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": dict(metadata.properties),
            "StorageDescriptor": {**_FORMAT, "Columns": columns, "Location": folder},
        }
    )
    keys = [column for column in table["StorageDescriptor"]["Columns"] if column["Name"] == PARTITION_COLUMN]
    data = [column for column in table["StorageDescriptor"]["Columns"] if column["Name"] != PARTITION_COLUMN]
    shown = table["Parameters"]
    told = ("comment", "domain", "tags", "data_classification", "pii")
    return {
        **table,
        # The type that Athena's documents show for projected dates; a file's own column of that name is not read.
        "PartitionKeys": [{**column, "Type": "string"} for column in keys],
        "Parameters": {
            **{label: shown[label] for label in told if label in shown},
            "EXTERNAL": "TRUE",
            PLAIN_TABLE_OF: dataset,
            **_projection(folder, _reach(days, present)),
        },
        "StorageDescriptor": {**table["StorageDescriptor"], "Columns": data},
    }


def _projection(folder: str, reach: str) -> dict[str, str]:
    column = f"projection.{PARTITION_COLUMN}"
    return {
        "projection.enabled": "true",
        f"{column}.type": "date",
        f"{column}.format": "yyyy-MM-dd",
        _RANGE: reach,
        f"{column}.interval": "1",
        f"{column}.interval.unit": "DAYS",
        "storage.location.template": f"{folder}{PARTITION_COLUMN}=${{{PARTITION_COLUMN}}}/",
    }


def _reach(days: Sequence[str], present: Mapping[str, Any] | None) -> str:
    before = present["Parameters"].get(_RANGE, "") if present else ""
    known = [*days, *filter(None, before.split(","))]
    return f"{min(known)},{max(known)}"


def _is_current(column: Mapping[str, Any]) -> bool:
    return bool(column["Parameters"]["iceberg.field.current"] == "true")


def _plain(column: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in column.items() if name != "Parameters"}
