"""Publishing into Iceberg tables of AWS Glue, against ministack.

ministack honours the VersionId of UpdateTable as Glue does, and so is fit to judge concurrent commits; moto_server
takes every commit and loses some. What is said here of Glue's limits on lengths is from AWS's API reference: neither
server checks them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError  # type: ignore[import-untyped]
from pyiceberg.exceptions import CommitStateUnknownException
from pyiceberg.table.metadata import TableMetadataV2

from resources.glue_catalog import open_glue_catalog
from resources.iceberg_tables import IcebergTables
from resources.table_upkeep import IcebergUpkeep
from resources.tables import Effect
from sluice.contract import Column
from sluice.datatypes import Field, Integer, Struct, Text
from sluice.errors import StoreForbidden
from tests.processes import processes
from tests.resources.lake import Lake, new_lake
from tests.resources.shop import DAY, NEXT_DAY, ORDERS, contract_with

if TYPE_CHECKING:
    from pathlib import Path

    from pyiceberg.table import Table

    from sluice.outcome import Outcome
    from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws

WRITERS, COMMITS = 4, 50


@pytest.fixture
def lake(aws: AwsServer, tmp_path: Path) -> Lake:
    return new_lake(aws, tmp_path)


def last_number(table: Table) -> int:
    assert isinstance(table.metadata, TableMetadataV2)
    return table.metadata.last_sequence_number


def publish_all(lake: Lake, outcomes: list[tuple[Outcome, int]]) -> list[Effect]:
    tables = lake.tables()
    return [tables.publish(ORDERS, outcome, sequence).effect for outcome, sequence in outcomes]


class TestPublishing:
    def test_rows_are_visible_to_whoever_asks_glue(self, lake: Lake) -> None:
        lake.tables().publish(ORDERS, lake.stage([1, 2, 3]), 1)

        assert lake.order_ids() == [1, 2, 3]

    def test_the_database_is_made_when_it_is_not_there(self, lake: Lake) -> None:
        assert lake.tables().names() == ()

        lake.tables().publish(ORDERS, lake.stage([1]), 1)

        assert lake.tables().names() == ("orders",)

    def test_metadata_lie_below_the_prefix_of_the_store(self, lake: Lake) -> None:
        lake.tables().publish(ORDERS, lake.stage([1]), 1)

        database = lake.place.database
        assert lake.in_glue()["Parameters"]["metadata_location"].startswith(
            lake.place.s3.url(f"tables/{database}.db/orders/metadata/")
        )

    def test_the_same_version_again_commits_nothing(self, lake: Lake) -> None:
        outcome = lake.stage([1])
        lake.tables().publish(ORDERS, outcome, 1)
        before = lake.in_glue()["VersionId"]

        again = lake.tables().publish(ORDERS, outcome, 1)

        assert again.effect is Effect.ALREADY_HELD
        assert lake.in_glue()["VersionId"] == before

    def test_upkeep_finds_all_that_a_table_needs_by_its_keys(self, lake: Lake) -> None:
        outcome = lake.stage([1])
        lake.tables().publish(ORDERS, outcome, 1)
        upkeep = IcebergUpkeep(open_glue_catalog(lake.place), lake.store, lake.place.database)

        stored = {item.key for item in lake.store.list("tables/")}
        assert upkeep.references("orders") == stored | {outcome.files[0].key}


class TestRaces:
    def test_four_writers_of_one_table_lose_nothing(self, lake: Lake) -> None:
        days = [
            f"20{writer + 20}-{commit // 25 + 1:02}-{commit % 25 + 1:02}"
            for writer in range(WRITERS)
            for commit in range(COMMITS)
        ]
        outcomes = [lake.stage([number], day=day) for number, day in enumerate(days)]
        shares = [[(outcome, 1) for outcome in outcomes[writer::WRITERS]] for writer in range(WRITERS)]

        with processes(WRITERS) as pool:
            effects = list(pool.map(publish_all, [lake] * WRITERS, shares))

        assert effects == [[Effect.COMMITTED] * COMMITS] * WRITERS
        assert lake.order_ids() == list(range(WRITERS * COMMITS))
        table = open_glue_catalog(lake.place).load_table((lake.place.database, "orders"))
        assert last_number(table) == WRITERS * COMMITS  # each commit was one snapshot, and counted once
        assert int(lake.in_glue()["VersionId"]) == 1 + WRITERS * COMMITS

    def test_four_writers_of_one_partition_end_with_the_newest(self, lake: Lake) -> None:
        versions = [(lake.stage([number], fingerprint=f"{number:016x}"), number) for number in range(1, 21)]
        shares = [versions[writer::WRITERS] for writer in range(WRITERS)]

        with processes(WRITERS) as pool:
            list(pool.map(publish_all, [lake] * WRITERS, shares))

        assert lake.order_ids() == [20]

    def test_a_commit_on_top_of_what_glue_has_no_more_is_refused(self, lake: Lake) -> None:
        lake.tables().publish(ORDERS, lake.stage([1]), 1)
        glue, seen = lake.server.client("glue"), lake.in_glue()
        lake.tables().publish(ORDERS, lake.stage([2], day=NEXT_DAY), 2)
        stale = {"Name": "orders", "Parameters": seen["Parameters"], "StorageDescriptor": seen["StorageDescriptor"]}

        with pytest.raises(glue.exceptions.ConcurrentModificationException):
            glue.update_table(DatabaseName=lake.place.database, TableInput=stale, VersionId=seen["VersionId"])


class TestAnswersThatGetLost:
    """What Glue did is not known: the table is looked at, and the commit neither lost nor made twice."""

    def _publish(self, lake: Lake, failure: Exception, *, before: bool) -> list[int]:
        lake.tables().publish(ORDERS, lake.stage([1]), 1)
        catalog = open_glue_catalog(lake.place)
        failures = [failure]

        def fail_once(**_: object) -> None:
            if failures:
                raise failures.pop()

        event = "before-call.glue.UpdateTable" if before else "after-call.glue.UpdateTable"
        catalog.glue.meta.events.register(event, fail_once)
        tables = IcebergTables(catalog, lake.store, namespace=lake.place.database)
        publication = tables.publish(ORDERS, lake.stage([2, 3], fingerprint="b" * 16), 2)
        assert publication.effect is Effect.COMMITTED
        assert not failures
        return lake.order_ids()

    @pytest.mark.parametrize("before", [pytest.param(True, id="not done"), pytest.param(False, id="done")])
    @pytest.mark.parametrize(
        "failure",
        [
            pytest.param(ReadTimeoutError(endpoint_url="glue"), id="no answer"),
            pytest.param(
                ClientError(
                    {"Error": {"Code": "InternalServiceException"}, "ResponseMetadata": {"HTTPStatusCode": 500}},
                    "UpdateTable",
                ),
                id="an error of Glue",
            ),
        ],
    )
    def test_a_commit_of_unknown_fate_is_settled(self, lake: Lake, failure: Exception, *, before: bool) -> None:
        assert self._publish(lake, failure, before=before) == [2, 3]

        table = open_glue_catalog(lake.place).load_table((lake.place.database, "orders"))
        assert len(table.snapshots()) == 2

    def test_what_glue_refuses_is_no_unknown_fate(self, lake: Lake) -> None:
        refused = ClientError(
            {"Error": {"Code": "InvalidInputException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "UpdateTable"
        )

        with pytest.raises(ClientError, match="InvalidInputException") as caught:
            self._publish(lake, refused, before=True)
        assert not isinstance(caught.value, CommitStateUnknownException)


class TestWhatGlueShows:
    PEOPLE = contract_with(
        Column("order_id", Integer(64), description="The shop's\nnumber."),
        Column("email", Text(), classification="personal", tags=("gdpr",)),
        Column("ship_to", Struct((Field("city", Text()),)), member_classifications=("restricted",)),
        Column("note", Text(), description="long " * 100, tags=("PII",)),
        dataset="people",
    )

    def test_descriptions_and_owner_are_where_tools_look(self, lake: Lake) -> None:
        contract = replace(self.PEOPLE, description="Who buys. " * 300)
        lake.tables().publish(contract, lake.stage([1], contract=contract), 1)

        table = lake.in_glue("people")
        comments = {item["Name"]: item.get("Comment", "") for item in table["StorageDescriptor"]["Columns"]}
        assert table["Owner"] == "shop@example.com"
        assert table["Description"].startswith("Who buys. Who buys.")
        assert (len(table["Description"]), len(comments["note"])) == (2048, 255)
        assert comments["order_id"] == "The shop's number."
        assert comments["partition_date"]

    def test_classification_and_personal_data_are_told_of_columns_and_table(self, lake: Lake) -> None:
        lake.tables().publish(self.PEOPLE, lake.stage([1], contract=self.PEOPLE), 1)

        table = lake.in_glue("people")
        columns = {item["Name"]: item["Parameters"] for item in table["StorageDescriptor"]["Columns"]}
        told = {
            name: {key: value for key, value in labels.items() if not key.startswith("iceberg.")}
            for name, labels in columns.items()
        }
        assert told == {
            "order_id": {},
            "email": {"classification": "personal", "tags": "gdpr", "pii": "true"},
            "ship_to": {"classification": "restricted"},
            "note": {"tags": "PII", "pii": "true"},
            "partition_date": {},
        }
        assert table["Parameters"]["data_classification"] == "personal, restricted"
        assert table["Parameters"]["pii"] == "true"
        assert table["Parameters"]["domain"] == "default"

    def test_a_label_that_the_contract_has_dropped_is_gone(self, lake: Lake) -> None:
        lake.tables().publish(self.PEOPLE, lake.stage([1], contract=self.PEOPLE), 1)
        plain = contract_with(*(Column(item.name, item.type) for item in self.PEOPLE.columns), dataset="people")

        lake.tables().publish(plain, lake.stage([2], contract=plain, fingerprint="b" * 16), 2)

        table = lake.in_glue("people")
        assert table["Parameters"]["pii"] == "false"
        assert not any("pii" in item["Parameters"] for item in table["StorageDescriptor"]["Columns"])

    def test_what_sluice_notes_of_each_partition_stays_out_of_glue(self, lake: Lake) -> None:
        lake.tables().publish(ORDERS, lake.stage([1]), 1)

        lake.tables().publish(ORDERS, lake.stage([2], day=NEXT_DAY), 2)

        assert lake.tables().held("orders", DAY) is not None
        assert not [name for name in lake.in_glue()["Parameters"] if DAY in name or "name-mapping" in name]


def test_a_missing_permission_names_the_operation_and_the_database(lake: Lake) -> None:
    catalog = open_glue_catalog(lake.place)
    denied = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
    catalog.glue.meta.events.register_first("after-call.glue.GetTable", lambda parsed, **_: parsed.update(denied))

    with pytest.raises(StoreForbidden, match=r"may not do GetTable on the Glue database lake_"):
        catalog.load_table((lake.place.database, "orders"))
