"""Parquet files in S3 for DuckDB, through Arrow: only the columns and row groups that a query needs are fetched."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from pyarrow.dataset import Dataset

    from resources.s3_place import S3Place

_FOOTERS_AT_ONCE = 16


class RemoteFiles:
    def __init__(self, place: S3Place) -> None:
        self._place = place

    def datasets(self, uris: Sequence[str]) -> tuple[Dataset, ...]:
        """Return one dataset for each schema that the files have; DuckDB then unites them by name."""
        if not uris:
            return ()
        import pyarrow.dataset as ds
        import pyarrow.parquet as pq

        system = self._place.file_system()
        paths = [uri.removeprefix("s3://") for uri in uris]
        with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as pool:
            schemas = pool.map(lambda path: pq.read_schema(path, filesystem=system), paths)
            alike: dict[pa.Schema, list[str]] = defaultdict(list)
            for path, schema in zip(paths, schemas, strict=True):
                alike[schema.remove_metadata()].append(path)
        return tuple(
            ds.dataset(members, schema=schema, format="parquet", filesystem=system) for schema, members in alike.items()
        )


def is_remote(uri: str) -> bool:
    return "://" in uri
