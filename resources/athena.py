"""SQL over published tables in Amazon Athena, which is billed by what it reads: only under a limit on that."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from resources.athena_rows import rows_of
from resources.aws_errors import explain_credentials, tell_refusals
from sluice.errors import (
    QueryFailed,
    QueryInvalid,
    QueryRefused,
    QueryTooLarge,
    SluiceError,
    StoreForbidden,
    TableUnknown,
    WorkgroupUnusable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from resources.glue_place import GluePlace

_SHORTEST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.1, 2.0
_ROWS_PER_PAGE = 1000
_DIALECT = "Athena"
_SYSTEM = 1  # Athena's category for faults of its own
_NO_TABLE = re.compile(r"TABLE_NOT_FOUND.*?'(?:awsdatacatalog\.)?(?P<name>[^']+)'", re.IGNORECASE | re.DOTALL)
_NOT_ALLOWED = ("PERMISSION_DENIED", "Access Denied", "Access denied", "Insufficient permissions")


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows, and what they cost: Athena bills the bytes that it scanned."""

    rows: pa.Table
    scanned_bytes: int
    seconds: float
    query_id: str


class Athena:
    """One workgroup, with the tables of one Glue database under their own names."""

    def __init__(self, place: GluePlace, known: Callable[[], Sequence[str]]) -> None:
        self._place = place
        self._known = known

    @property
    def region(self) -> str:
        return self._place.s3.region

    def query(self, sql: str) -> Answer:
        """Return the rows of one SELECT in Athena's dialect.

        Raises QueryInvalid, QueryRefused, QueryTooLarge, QueryFailed, TableUnknown and WorkgroupUnusable.
        """
        _check_reads(sql)
        with explain_credentials():
            client = self.client()
            cutoff_bytes = fetch_cutoff(client, self._place.workgroup)
            query_id = self._start(client, sql)
            execution = _finished(client, query_id)
            self._check(execution, query_id, cutoff_bytes)
            statistics = execution.get("Statistics", {})
            return Answer(
                rows_of(_pages(client, query_id), has_header=execution.get("StatementType") == "DML"),
                int(statistics.get("DataScannedInBytes", 0)),
                int(statistics.get("TotalExecutionTimeInMillis", 0)) / 1000,
                query_id,
            )

    def client(self) -> Any:  # noqa: ANN401  botocore makes its clients at run time
        client = self._place.s3.client("athena")
        tell_refusals(client, f"the Athena workgroup {self._place.workgroup}")
        return client

    def _start(self, client: Any, sql: str) -> str:  # noqa: ANN401
        from botocore.exceptions import ClientError  # type: ignore[import-untyped]

        try:
            started = client.start_query_execution(
                QueryString=sql,
                ClientRequestToken=uuid4().hex,  # a request that is repeated starts no second query
                QueryExecutionContext={"Database": self._place.database},
                WorkGroup=self._place.workgroup,
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "InvalidRequestException":
                raise
            raise QueryInvalid(problem=str(error.response["Error"].get("Message", "")), dialect=_DIALECT) from error
        return str(started["QueryExecutionId"])

    def _check(self, execution: Mapping[str, Any], query_id: str, cutoff_bytes: int) -> None:
        status = execution["Status"]
        reason = str(status.get("StateChangeReason", ""))
        match status["State"]:
            case "SUCCEEDED":
                return
            case "CANCELLED" if int(execution.get("Statistics", {}).get("DataScannedInBytes", 0)) >= cutoff_bytes:
                raise QueryTooLarge(workgroup=self._place.workgroup, cutoff_bytes=cutoff_bytes, query_id=query_id)
            case "CANCELLED":
                raise QueryFailed(query_id=query_id, problem=f"it was cancelled. {reason}".strip())
            case _:
                raise self._meaning(status.get("AthenaError", {}), reason, query_id)

    def _meaning(self, failure: Mapping[str, Any], reason: str, query_id: str) -> SluiceError:
        if failure.get("ErrorCategory") == _SYSTEM or failure.get("Retryable"):
            return QueryFailed(query_id=query_id, problem=reason)
        if reason.startswith(_NOT_ALLOWED):
            return StoreForbidden(operation="this query", place=f"{self._place} ({reason})")
        if (missing := _NO_TABLE.search(reason)) is not None:
            return TableUnknown(table=missing["name"].removeprefix(f"{self._place.database}."), known=self._known())
        return QueryInvalid(problem=reason.partition("\n")[0], dialect=_DIALECT)


def fetch_cutoff(client: Any, workgroup: str) -> int:  # noqa: ANN401
    """Return how many bytes the workgroup lets one query read; raises WorkgroupUnusable when it has no limit."""
    from botocore.exceptions import ClientError

    try:
        found = client.get_work_group(WorkGroup=workgroup)["WorkGroup"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "InvalidRequestException":
            raise
        raise _unusable(workgroup, "is not there", "create") from error
    settings = found.get("Configuration", {})
    if found.get("State") != "ENABLED":
        raise _unusable(workgroup, "is disabled", "enable")
    if not settings.get("BytesScannedCutoffPerQuery"):
        raise _unusable(workgroup, "does not limit what one query may read", "limit")
    kept = settings.get("ResultConfiguration", {}).get("OutputLocation")
    if not kept and not settings.get("ManagedQueryResultsConfiguration", {}).get("Enabled"):
        raise _unusable(workgroup, "has no place for the results of queries", "place")
    return int(settings["BytesScannedCutoffPerQuery"])


def _unusable(workgroup: str, problem: str, remedy: str) -> WorkgroupUnusable:
    results = "ResultConfiguration={OutputLocation=s3://BUCKET/athena/}"
    cutoff = "BytesScannedCutoffPerQuery=10737418240"
    update = f"aws athena update-work-group --work-group {workgroup}"
    cures = {
        "create": f"aws athena create-work-group --name {workgroup} --configuration '{results},{cutoff}'",
        "enable": f"{update} --state ENABLED",
        "limit": f"{update} --configuration-updates {cutoff}",
        "place": f"{update} --configuration-updates 'ResultConfigurationUpdates={{OutputLocation=s3://BUCKET/athena/}}'",
    }
    return WorkgroupUnusable(
        workgroup=workgroup, problem=problem, cure=f"Name another in SLUICE_ATHENA_WORKGROUP, or: {cures[remedy]}"
    )


def _check_reads(sql: str) -> None:
    """Refuse what is no query before anything is billed or changed."""
    import sqlglot
    from sqlglot import exp

    try:
        statements = [item for item in sqlglot.parse(sql, dialect="athena") if item is not None]
    except sqlglot.errors.ParseError as error:
        first = error.errors[0] if error.errors else {}
        problem = str(first.get("description") or error)
        raise QueryInvalid(
            problem=problem, line=first.get("line"), column=first.get("col"), dialect=_DIALECT
        ) from error
    except sqlglot.errors.SqlglotError as error:
        raise QueryInvalid(problem=str(error).partition("\n")[0], dialect=_DIALECT) from error
    if len(statements) != 1:
        raise QueryRefused(problem=f"it has {len(statements)} statements")
    if not isinstance(statements[0], exp.Query):
        raise QueryRefused(problem=f"{statements[0].key.upper()} is not a query")


def _finished(client: Any, query_id: str) -> Mapping[str, Any]:  # noqa: ANN401
    """Wait for the end of a query; who stops waiting stops the query, which would be billed on."""
    pause = _SHORTEST_POLL_SECONDS
    try:
        while True:
            execution: Mapping[str, Any] = client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            if execution["Status"]["State"] not in {"QUEUED", "RUNNING"}:
                return execution
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
    except BaseException:
        client.stop_query_execution(QueryExecutionId=query_id)
        raise


def _pages(client: Any, query_id: str) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401
    token: dict[str, str] = {}
    while True:
        page = client.get_query_results(QueryExecutionId=query_id, MaxResults=_ROWS_PER_PAGE, **token)
        yield page["ResultSet"]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}
