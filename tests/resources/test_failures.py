"""Real errors of the libraries that reach the outside world, and their class."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING

import botocore.exceptions as boto  # type: ignore[import-untyped]
import duckdb
import pyiceberg.exceptions as iceberg
import pytest
import requests
import sqlalchemy as sa
from dagster._core.errors import DagsterExecutionInterruptedError, DagsterExecutionStepExecutionError

from resources.failures import BY_NAME, TypedFailures, classify
from sluice.healing.failure import FailureClass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRANSIENT, SOURCE, SINK = (
    FailureClass.TRANSIENT,
    FailureClass.UPSTREAM_UNAVAILABLE,
    FailureClass.SINK_UNAVAILABLE,
)


def raised(act: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011  whatever it raises is the case
        act()
    return caught.value.with_traceback(None)  # which holds on to connections


def answer(code: str, status: int, operation: str, headers: dict[str, str] | None = None) -> boto.ClientError:
    response = {
        "Error": {"Code": code, "Message": "words"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers or {}},
    }
    return boto.ClientError(response, operation)


def statement(url: str, sql: str) -> Callable[[], object]:
    def act() -> None:
        engine = sa.create_engine(url)
        try:
            with engine.connect() as connection:
                connection.execute(sa.text(sql))
        finally:
            engine.dispose()

    return act


class OfPostgres(Exception):
    def __init__(self, pgcode: str | None) -> None:
        super().__init__("words")
        self.pgcode = pgcode


def of_postgres(state: str | None) -> sa.exc.OperationalError:
    return sa.exc.OperationalError("SELECT 1", {}, OfPostgres(state))


def fill(connection: sqlite3.Connection) -> None:
    with closing(connection):
        connection.execute("PRAGMA max_page_count = 2")
        connection.execute("CREATE TABLE a AS SELECT randomblob(100000)")


def locked(folder: Path) -> BaseException:
    path = folder / "locked.db"
    with closing(sqlite3.connect(path)) as writer, closing(sqlite3.connect(path, timeout=0)) as other:
        writer.execute("BEGIN EXCLUSIVE")
        return raised(lambda: other.execute("CREATE TABLE a (b)"))


def refused(status: int, headers: dict[str, str] | None = None) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    response.headers.update(headers or {})
    return requests.HTTPError("words", response=response)


def of_duckdb(status: int) -> duckdb.HTTPException:
    error = duckdb.HTTPException("words")
    error.status_code = status
    return error


BOTO = {
    "slow down, reading": (answer("SlowDown", 503, "GetObject"), SOURCE),
    "slow down, writing": (answer("SlowDown", 503, "PutObject"), SINK),
    "throttled with 400": (answer("ThrottlingException", 400, "UpdateTable"), SINK),
    "429": (answer("Other", 429, "ListObjectsV2"), SOURCE),
    "503": (answer("Other", 503, "CompleteMultipartUpload"), SINK),
    "500": (answer("InternalError", 500, "PutObject"), TRANSIENT),
    "time-out with 400": (answer("RequestTimeout", 400, "PutObject"), TRANSIENT),
    "access denied": (answer("AccessDenied", 403, "GetObject"), FailureClass.PERMISSION),
    "access denied with 400": (answer("AccessDeniedException", 400, "GetTable"), FailureClass.PERMISSION),
    "expired token": (answer("ExpiredToken", 400, "GetObject"), FailureClass.PERMISSION),
    "raced": (answer("ConcurrentModificationException", 400, "UpdateTable"), TRANSIENT),
    "precondition": (answer("PreconditionFailed", 412, "PutObject"), TRANSIENT),
    "no such key": (answer("NoSuchKey", 404, "GetObject"), FailureClass.UPSTREAM_MISSING),
    "no such bucket": (answer("NoSuchBucket", 404, "PutObject"), FailureClass.CODE),
    "malformed": (answer("InvalidRequest", 400, "PutObject"), FailureClass.CODE),
    "no answer at all": (boto.ClientError({}, "PutObject"), FailureClass.UNKNOWN),
    "no endpoint": (boto.EndpointConnectionError(endpoint_url="http://x"), TRANSIENT),
    "read time-out": (boto.ReadTimeoutError(endpoint_url="http://x"), TRANSIENT),
    "connect time-out": (boto.ConnectTimeoutError(endpoint_url="http://x"), TRANSIENT),
    "closed": (boto.ConnectionClosedError(endpoint_url="http://x"), TRANSIENT),
    "truncated": (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), TRANSIENT),
    "no credentials": (boto.NoCredentialsError(), FailureClass.PERMISSION),
    "no region": (boto.NoRegionError(), FailureClass.CODE),
}

ICEBERG = {
    "commit failed": (iceberg.CommitFailedException("words"), TRANSIENT),
    "commit state unknown": (iceberg.CommitStateUnknownException("words"), SINK),
    "waiting for lock": (iceberg.WaitingForLockException("words"), TRANSIENT),
    "catalog unavailable": (iceberg.ServiceUnavailableError("words"), SINK),
    "catalog throttles": (iceberg.TooManyRequestsError("words"), SINK),
    "catalog forbids": (iceberg.ForbiddenError("words"), FailureClass.PERMISSION),
    "bad request": (iceberg.BadRequestError("words"), FailureClass.CODE),
    "types do not fit": (iceberg.ResolveError("words"), FailureClass.SCHEMA_DRIFT),
    "no such table": (iceberg.NoSuchTableError("words"), FailureClass.UNKNOWN),
}

SQL = {
    "no such table": (raised(statement("sqlite://", "SELECT * FROM nowhere")), FailureClass.CODE),
    "cannot open": (raised(statement("sqlite:////no/such/folder/x.db", "SELECT 1")), SINK),
    "database full": (
        raised(lambda: fill(sqlite3.connect(":memory:"))),
        FailureClass.RESOURCE,
    ),
    "postgres disk full": (of_postgres("53100"), FailureClass.RESOURCE),
    "postgres deadlock": (of_postgres("40P01"), TRANSIENT),
    "postgres connections": (of_postgres("53300"), SINK),
    "postgres shuts down": (of_postgres("57P01"), SINK),
    "postgres privilege": (of_postgres("42501"), FailureClass.PERMISSION),
    "postgres syntax": (of_postgres("42601"), FailureClass.CODE),
    "postgres unreachable": (of_postgres(None), SINK),
    "pool": (sa.exc.TimeoutError("words"), SINK),
    "wrong argument": (sa.exc.ArgumentError("words"), FailureClass.CODE),
}

HTTP = {
    "requests 503": (refused(503), SOURCE),
    "requests 500": (refused(500), TRANSIENT),
    "requests 401": (refused(401), FailureClass.PERMISSION),
    "requests 400": (refused(400), FailureClass.CODE),
    "requests 404": (refused(404), FailureClass.UNKNOWN),
    "requests connection": (requests.ConnectionError("words"), TRANSIENT),
    "duckdb 429": (of_duckdb(429), SOURCE),
    "duckdb without status": (of_duckdb(0), TRANSIENT),
}

CASES = {
    f"{group}: {name}": case
    for group, cases in {"boto": BOTO, "iceberg": ICEBERG, "sql": SQL, "http": HTTP}.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize(("error", "expected"), CASES.values(), ids=CASES.keys())
def test_an_error_has_its_class(error: BaseException, expected: FailureClass) -> None:
    assert classify(error).failure_class is expected


def test_a_locked_database_is_transient(tmp_path: Path) -> None:
    assert classify(locked(tmp_path)).failure_class is TRANSIENT


def test_a_file_that_is_no_database_is_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database" * 1000)
    error = raised(statement(f"sqlite:///{tmp_path / 'x.db'}", "SELECT * FROM a"))

    assert classify(error).failure_class is FailureClass.UNKNOWN


def test_an_error_of_the_core_keeps_its_class() -> None:
    assert TypedFailures().classify(MemoryError()).failure_class is FailureClass.RESOURCE


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(answer("SlowDown", 503, "GetObject", {"retry-after": "30"}), timedelta(seconds=30), id="botocore"),
        pytest.param(refused(429, {"Retry-After": "7"}), timedelta(seconds=7), id="requests"),
        pytest.param(refused(429), None, id="nothing asked"),
        pytest.param(TimeoutError(), None, id="no answer"),
    ],
)
def test_the_wait_that_was_asked_for_is_read(error: BaseException, expected: timedelta | None) -> None:
    assert classify(error).retry_after == expected


def test_dagsters_wrapping_is_taken_off() -> None:
    error = raised(_fail)
    wrapped = DagsterExecutionStepExecutionError(  # type: ignore[no-untyped-call]
        "wrapped",
        user_exception=error,
        original_exc_info=(type(error), error, error.__traceback__),
        step_key="a",
        op_name="a",
        op_def_name="a",
    )

    assert classify(wrapped).error_type.endswith("OfOurs")


class OfOurs(Exception):
    pass


def _fail() -> None:
    raise OfOurs("words")


def test_an_interrupted_run_is_transient() -> None:
    assert classify(DagsterExecutionInterruptedError()).failure_class is TRANSIENT


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_named_error_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")

    assert f"{getattr(import_module(module), kind).__module__}.{kind}" == name
