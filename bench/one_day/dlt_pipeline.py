"""dlt: files from its `filesystem` source, records checked in a transformer, Parquet in its filesystem destination.

Without a table format this destination cannot merge, so the winners are not chosen: that is left out for dlt. Typed
columns are hints; rejected lines go to a table of their own. What it costs to check a record is the function that the
Lambda-style program uses too, which is cheaper than dlt's own contracts by Pydantic.
"""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING, Any

import dlt  # type: ignore[import-not-found]
from dlt.sources.filesystem import filesystem  # type: ignore[import-not-found]

from bench.one_day.measuring import measured
from bench.one_day.order_rules import TEXTS, read_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_BATCH = 5_000
COLUMNS: dict[str, dict[str, object]] = {
    **{name: {"data_type": "text"} for name in TEXTS},
    "order_id": {"data_type": "bigint", "nullable": False},
    "created_at": {"data_type": "timestamp", "nullable": False},
    "amount": {"data_type": "decimal", "precision": 12, "scale": 2, "nullable": False},
    "quantity": {"data_type": "bigint"},
    "discount": {"data_type": "double"},
    "gift": {"data_type": "bool"},
    "source_place": {"data_type": "text"},
}


def _into(table: str, records: object, columns: object = None) -> Any:  # noqa: ANN401
    return dlt.mark.with_hints(
        records, dlt.mark.make_hints(table_name=table, columns=columns), create_table_variant=True
    )


@dlt.transformer  # type: ignore[misc, untyped-decorator, unused-ignore]
def orders(files: Iterable[Any]) -> Iterator[Any]:
    """Yield batches of typed records; each says where it came from, so that winners can be chosen later."""
    for file in files:
        with file.open(mode="rb", compression="disable") as opened, gzip.open(opened, "rt", encoding="utf-8") as lines:
            good, bad = [], []
            for number, line in enumerate(lines, 1):
                place = f"{file['file_name']}:{number:09}"
                try:
                    good.append({**read_order(line), "source_place": place})
                except (ValueError, TypeError) as error:
                    bad.append({"source_place": place, "reason": str(error), "line": line})
                if len(good) == _BATCH:
                    yield _into("orders", good, COLUMNS)
                    good = []
            yield _into("orders", good, COLUMNS)
            yield _into("rejected", bad)


def load(folder: Path, workspace: Path) -> None:
    os.environ.update(
        NORMALIZE__WORKERS="2",
        RUNTIME__DLTHUB_TELEMETRY="false",
        DATA_WRITER__FILE_MAX_ITEMS="500000",
    )
    destination = dlt.destinations.filesystem(bucket_url=(workspace / "loaded").as_uri())
    pipeline = dlt.pipeline("bench", pipelines_dir=str(workspace), destination=destination, dataset_name="bench")
    pipeline.run(filesystem(bucket_url=folder.as_uri(), file_glob="*.gz") | orders, loader_file_format="parquet")


if __name__ == "__main__":
    measured(load)
