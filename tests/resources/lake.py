"""A shop's orders in S3, with their tables in Glue, on the server that `make test-aws` starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from resources.glue_catalog import open_glue_catalog
from resources.glue_place import GluePlace
from resources.iceberg_tables import IcebergTables
from resources.s3_store import S3ObjectStore
from tests.resources.shop import ORDERS, stage

if TYPE_CHECKING:
    from pathlib import Path

    from sluice.contract import Contract
    from sluice.outcome import Outcome
    from tests.aws_server import AwsServer


@dataclass(frozen=True)
class Lake:
    """A bucket and a Glue database of its own."""

    server: AwsServer
    place: GluePlace
    scratch: Path

    @property
    def store(self) -> S3ObjectStore:
        return S3ObjectStore(self.place.s3)

    def tables(self) -> IcebergTables:
        return IcebergTables(open_glue_catalog(self.place), self.store, namespace=self.place.database)

    def stage(self, order_ids: list[int], *, contract: Contract = ORDERS, **options: Any) -> Outcome:
        outcome = stage(self.scratch, order_ids, contract=contract, **options)
        for file in outcome.files:
            self.store.put(file.key, self.scratch / file.key)
        return outcome

    def order_ids(self, dataset: str = "orders") -> list[int]:
        """Read a table the way another engine would: through Glue alone."""
        table = open_glue_catalog(self.place).load_table((self.place.database, dataset))
        return sorted(table.scan().to_arrow()["order_id"].to_pylist())

    def in_glue(self, name: str = "orders") -> dict[str, Any]:
        found: dict[str, Any] = self.server.client("glue").get_table(DatabaseName=self.place.database, Name=name)
        return dict(found["Table"])


def new_lake(server: AwsServer, scratch: Path, prefix: str = "prod/") -> Lake:
    bucket = server.new_bucket(f"lake-{uuid4().hex}", versioned=True)
    return Lake(server, GluePlace(server.place(bucket, prefix), f"lake_{uuid4().hex[:8]}"), scratch)
