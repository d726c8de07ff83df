"""Queries in Athena: those that ministack runs, and the ends that it does not know, as AWS's API reference has them.

ministack heeds no limit on bytes, counts as scanned what it answers, knows no errors by category, and its first page
has a row more than was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from resources.athena import Athena
from resources.failures import classify
from resources.glue_place import GluePlace
from sluice.errors import (
    CredentialsInvalid,
    QueryFailed,
    QueryInvalid,
    QueryRefused,
    QueryTooLarge,
    StoreForbidden,
    TableUnknown,
    WorkgroupUnusable,
)
from sluice.healing.failure import FailureClass
from tests.resources.lake import Lake, new_lake, new_workgroup

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws

CUTOFF = 20_000_000


@pytest.fixture
def lake(aws: AwsServer, tmp_path: Path) -> Lake:
    return new_lake(aws, tmp_path)


class Ended(Athena):
    """Athena, whose executions end otherwise than ministack can end them."""

    def __init__(self, lake: Lake, workgroup: str, **status: Any) -> None:
        super().__init__(GluePlace(lake.place.s3, lake.place.database, workgroup), lambda: ("orders", "customers"))
        self._status = status
        self.asked: list[str] = []

    def client(self) -> Any:
        client = super().client()
        client.meta.events.register("after-call.athena.GetQueryExecution", self._end)
        client.meta.events.register("before-call.athena", lambda model, **_: self.asked.append(model.name))
        return client

    def _end(self, parsed: dict[str, Any], **_: object) -> None:
        parsed["QueryExecution"]["Statistics"]["DataScannedInBytes"] = self._status.get("scanned", 0)
        parsed["QueryExecution"]["Status"] = self._status


def athena(lake: Lake, **workgroup: Any) -> Athena:
    return Athena(GluePlace(lake.place.s3, lake.place.database, new_workgroup(lake, **workgroup)), lambda: ("orders",))


class TestAnswers:
    def test_rows_come_with_their_types_and_their_cost(self, lake: Lake) -> None:
        answer = athena(lake).query("select 1 as n, 'a' as t, cast(2.50 as decimal(10,2)) as d, true as b")

        (row,) = answer.rows.to_pylist()
        assert (row["n"], row["t"], str(row["d"]), row["b"]) == (1, "a", "2.50", True)
        assert answer.scanned_bytes > 0
        assert answer.query_id

    def test_all_pages_are_read(self, lake: Lake) -> None:
        answer = athena(lake).query("select * from range(2345) as t(n) order by n")

        assert answer.rows.column("n").to_pylist() == list(range(2345))

    def test_the_engine_behind_the_answers_is_no_mock(self, lake: Lake) -> None:
        assert athena(lake).query("select 6 * 7 as n").rows.to_pylist() == [{"n": 42}]


class TestRefusals:
    @pytest.mark.parametrize(
        ("sql", "says"),
        [
            pytest.param("drop table orders", "DROP is not a query", id="drop"),
            pytest.param("insert into orders select 1", "INSERT is not a query", id="insert"),
            pytest.param("create table x as select 1", "CREATE is not a query", id="create as"),
            pytest.param("unload (select 1) to 's3://x/'", "is not a query", id="unload"),
            pytest.param("select 1; select 2", "it has 2 statements", id="two"),
            pytest.param("", "it has 0 statements", id="nothing"),
        ],
    )
    def test_what_is_no_query_never_reaches_athena(self, lake: Lake, sql: str, says: str) -> None:
        asked = Ended(lake, new_workgroup(lake))

        with pytest.raises(QueryRefused, match=says):
            asked.query(sql)
        assert asked.asked == []

    def test_what_is_no_sql_is_told_with_its_place(self, lake: Lake) -> None:
        with pytest.raises(QueryInvalid, match=r"\(line 1, column \d+\).*its dialect is Athena's"):
            athena(lake).query("select (1 from x")

    def test_what_athena_cannot_run_is_told_in_its_words(self, lake: Lake) -> None:
        with pytest.raises(QueryInvalid, match="nowhere"):
            athena(lake).query("select nowhere from (select 1 as a) t")


class TestWorkgroups:
    @pytest.mark.parametrize(
        ("workgroup", "says"),
        [
            pytest.param({"cutoff_bytes": None}, "does not limit what one query may read", id="no limit"),
            pytest.param({"results": False}, "has no place for the results", id="no results"),
        ],
    )
    def test_one_that_lacks_something_is_refused_before_anything_is_billed(
        self, lake: Lake, workgroup: dict[str, Any], says: str
    ) -> None:
        asked = Ended(lake, new_workgroup(lake, **workgroup))

        with pytest.raises(WorkgroupUnusable, match=says):
            asked.query("select 1")
        assert asked.asked == ["GetWorkGroup"]

    def test_one_that_is_not_there_is_told_with_the_command_that_makes_it(self, lake: Lake) -> None:
        with pytest.raises(WorkgroupUnusable, match="aws athena create-work-group --name nobodys"):
            Athena(GluePlace(lake.place.s3, "db", "nobodys"), lambda: ()).query("select 1")

    def test_one_that_is_disabled_is_told(self, lake: Lake) -> None:
        name = new_workgroup(lake)
        lake.server.client("athena").update_work_group(WorkGroup=name, State="DISABLED")

        with pytest.raises(WorkgroupUnusable, match="is disabled"):
            Athena(GluePlace(lake.place.s3, "db", name), lambda: ()).query("select 1")


class TestEnds:
    @pytest.mark.parametrize(
        ("status", "error", "says", "failure_class"),
        [
            pytest.param(
                {"State": "CANCELLED", "scanned": CUTOFF + 1, "StateChangeReason": "Query exhausted resources"},
                QueryTooLarge,
                "reads more than the 20,000,000 bytes",
                FailureClass.COST,
                id="too large",
            ),
            pytest.param(
                {"State": "CANCELLED", "scanned": 5, "StateChangeReason": "Query cancelled by user"},
                QueryFailed,
                "it was cancelled. Query cancelled by user",
                FailureClass.UPSTREAM_UNAVAILABLE,
                id="cancelled",
            ),
            pytest.param(
                {"State": "FAILED", "StateChangeReason": "GENERIC_INTERNAL_ERROR", "AthenaError": {"ErrorCategory": 1}},
                QueryFailed,
                "GENERIC_INTERNAL_ERROR",
                FailureClass.UPSTREAM_UNAVAILABLE,
                id="system",
            ),
            pytest.param(
                {
                    "State": "FAILED",
                    "StateChangeReason": "EXCEEDED",
                    "AthenaError": {"ErrorCategory": 2, "Retryable": True},
                },
                QueryFailed,
                "EXCEEDED",
                FailureClass.UPSTREAM_UNAVAILABLE,
                id="worth another try",
            ),
            pytest.param(
                {
                    "State": "FAILED",
                    "StateChangeReason": "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.lake.order' does not exist",
                    "AthenaError": {"ErrorCategory": 2},
                },
                TableUnknown,
                'No published table is named "lake.order"',
                FailureClass.CODE,
                id="no table",
            ),
            pytest.param(
                {
                    "State": "FAILED",
                    "StateChangeReason": "PERMISSION_DENIED: Access Denied (Service: Amazon S3; Status Code: 403)",
                    "AthenaError": {"ErrorCategory": 2},
                },
                StoreForbidden,
                "may not do this query",
                FailureClass.PERMISSION,
                id="forbidden",
            ),
            pytest.param(
                {
                    "State": "FAILED",
                    "StateChangeReason": "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved\nmore",
                    "AthenaError": {"ErrorCategory": 2},
                },
                QueryInvalid,
                "Column 'x' cannot be resolved Correct the SQL",
                FailureClass.CODE,
                id="no column",
            ),
        ],
    )
    def test_each_has_one_error_and_one_class(
        self, lake: Lake, status: dict[str, Any], error: type[Exception], says: str, failure_class: FailureClass
    ) -> None:
        asked = Ended(lake, new_workgroup(lake, cutoff_bytes=CUTOFF), **status)

        with pytest.raises(error, match=says.replace("(", r"\(")) as caught:
            asked.query("select 1")
        assert classify(caught.value).failure_class is failure_class

    def test_who_stops_waiting_stops_the_query(self, lake: Lake) -> None:
        asked = Ended(lake, new_workgroup(lake), State="RUNNING")
        stop = KeyboardInterrupt()

        def interrupt(**_: object) -> None:
            if asked.asked.count("GetQueryExecution") > 2:
                raise stop

        plain_client = asked.client

        def client() -> Any:
            found = plain_client()
            found.meta.events.register("after-call.athena.GetQueryExecution", interrupt)
            return found

        asked.client = client  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            asked.query("select 1")
        assert asked.asked[-1] == "StopQueryExecution"

    def test_no_credentials_are_told(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = athena(lake)
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

        with pytest.raises(CredentialsInvalid, match="nowhere to be found"):
            asked.query("select 1")

    def test_throttling_is_a_source_that_is_unavailable(self) -> None:
        throttled = ClientError(
            {"Error": {"Code": "TooManyRequestsException"}, "ResponseMetadata": {"HTTPStatusCode": 400}},
            "StartQueryExecution",
        )

        assert classify(throttled).failure_class is FailureClass.UPSTREAM_UNAVAILABLE
