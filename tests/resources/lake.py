"""A shop's orders in S3, with their tables in Glue, on the server that `make test-aws` starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from resources.glue_catalog import open_glue_catalog
from resources.glue_place import GluePlace
from resources.glue_tables import GlueTables
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

    def tables(self) -> GlueTables:
        return GlueTables(self.place, self.store)

    def stage(self, order_ids: list[int], *, contract: Contract = ORDERS, **options: Any) -> Outcome:
        outcome = stage(self.scratch, order_ids, contract=contract, **options)
        for file in outcome.files:
            self.store.put(file.key, self.scratch / file.key)
        return outcome

    def order_ids(self, dataset: str = "orders") -> list[int]:
        """Read a table the way another engine would: through Glue alone."""
        table = open_glue_catalog(self.place).load_table((self.place.database, dataset))
        found = table.scan().to_arrow()["order_id"].to_pylist()
        return sorted(order_id for order_id in found if order_id is not None)

    def in_glue(self, name: str = "orders") -> dict[str, Any]:
        found: dict[str, Any] = self.server.client("glue").get_table(DatabaseName=self.place.database, Name=name)
        return dict(found["Table"])


def new_lake(server: AwsServer, scratch: Path, prefix: str = "prod/") -> Lake:
    bucket = server.new_bucket(f"lake-{uuid4().hex}", versioned=True)
    return Lake(server, GluePlace(server.place(bucket, prefix), f"lake_{uuid4().hex[:8]}"), scratch)


def new_workgroup(lake: Lake, *, cutoff_bytes: int | None = 10_000_000_000, results: bool = True) -> str:
    name = f"group-{uuid4().hex[:8]}"
    configuration: dict[str, Any] = {} if cutoff_bytes is None else {"BytesScannedCutoffPerQuery": cutoff_bytes}
    if results:
        configuration["ResultConfiguration"] = {"OutputLocation": f"s3://{lake.place.s3.bucket}/athena/"}
    lake.server.client("athena").create_work_group(Name=name, Configuration=configuration)
    return name
