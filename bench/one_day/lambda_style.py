"""What is usually written into a Lambda: `json.loads` by line, checks, casts, winners in a dict, one Parquet file."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from bench.one_day.measuring import measured
from bench.one_day.order_rules import Record, read_order

if TYPE_CHECKING:
    from pathlib import Path

_FIELDS: list[tuple[str, pa.DataType]] = [
    ("order_id", pa.int64()),
    ("user_id", pa.string()),
    ("created_at", pa.timestamp("us", "UTC")),
    ("status", pa.string()),
    ("country", pa.string()),
    ("amount", pa.decimal128(12, 2)),
    ("currency", pa.string()),
    ("quantity", pa.int32()),
    ("sku", pa.string()),
    ("channel", pa.string()),
    ("discount", pa.float64()),
    ("gift", pa.bool_()),
    ("email", pa.string()),
    ("note", pa.string()),
]
SCHEMA = pa.schema(_FIELDS)


def handle(folder: Path, workspace: Path) -> None:
    winners: dict[int, Record] = {}
    with (workspace / "rejected.jsonl").open("w") as rejected:
        for file in sorted(folder.glob("*.gz")):
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                for number, line in enumerate(lines, 1):
                    try:
                        record = read_order(line)
                    except (ValueError, TypeError) as error:
                        reject = {"file": file.name, "line": number, "reason": str(error), "text": line}
                        rejected.write(json.dumps(reject) + "\n")
                        continue
                    before = winners.get(record["order_id"])
                    if before is None or before["created_at"] <= record["created_at"]:
                        winners[record["order_id"]] = record
    table = pa.Table.from_pylist(list(winners.values()), schema=SCHEMA)
    pq.write_table(table, workspace / "orders.parquet", compression="zstd")


if __name__ == "__main__":
    measured(handle)
