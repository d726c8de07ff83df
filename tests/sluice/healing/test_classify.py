"""Errors of Sluice, of the system and of the core's libraries, and their class."""

from __future__ import annotations

import errno
import inspect
import socket
import ssl
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice import errors
from sluice.contract_file import read_contract
from sluice.healing.classify import class_of, classify_error
from sluice.healing.failure import Failure, FailureClass

if TYPE_CHECKING:
    from collections.abc import Callable


def raised(act: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011  whatever it raises is the case
        act()
    return caught.value.with_traceback(None)  # which holds on to connections


def query(sql: str) -> Callable[[], object]:
    return lambda: duckdb.connect().execute(sql).fetchall()


def full_memory() -> None:
    connection = duckdb.connect(config={"memory_limit": "10MB", "temp_directory": ""})
    connection.execute("SELECT list(i) FROM range(10000000) t(i)").fetchall()


def closed(gate: str) -> errors.GateClosed:
    return errors.GateClosed(gate=gate, dataset="orders", partition="2026-11-01", explanation="no.", cure="Wait.")


def system(number: int) -> OSError:
    return OSError(number, "text that says nothing")


OWN = {
    "contract": (raised(lambda: read_contract("kind: x", path="contract.yaml")), FailureClass.CODE),
    "raw empty": (
        errors.RawPartitionEmpty(dataset="a", partition="2026-11-01", pattern="a/*"),
        FailureClass.UPSTREAM_MISSING,
    ),
    "raw changed": (
        errors.RawObjectChanged(key="a", expected_etag="1", found_etag=None),
        FailureClass.TRANSIENT,
    ),
    "raw cut short": (errors.RawObjectCutShort(key="a", size=9), FailureClass.TRANSIENT),
    "raw unreadable": (
        errors.RawObjectUnreadable(key="a", code="gzip", detail="ends early.", cure="Land it again."),
        FailureClass.QUALITY,
    ),
    "input not published": (
        errors.InputNotPublished(dataset="a", partition="2026-11-01", missing="b"),
        FailureClass.UPSTREAM_MISSING,
    ),
    "publish conflict": (
        errors.PublishConflict(table="a", partition="2026-11-01", attempts=5),
        FailureClass.TRANSIENT,
    ),
    "staged files missing": (errors.StagedFilesMissing(key="a", problem="is gone"), FailureClass.TRANSIENT),
    "table incompatible": (
        errors.TableIncompatible(table="a", column="b", table_type="int", contract_type="date"),
        FailureClass.SCHEMA_DRIFT,
    ),
    "query": (errors.QueryInvalid(problem="no SQL."), FailureClass.CODE),
    "setting": (errors.SettingInvalid(name="X", value="1", problem="is wrong", cure="Correct it."), FailureClass.CODE),
    "ledger unavailable": (errors.LedgerUnavailable(where="db", problem="refused"), FailureClass.SINK_UNAVAILABLE),
    "ledger too new": (errors.LedgerTooNew(found=9, supported=3), FailureClass.CODE),
    "gate on data": (closed("key_is_unique"), FailureClass.QUALITY),
    "gate nobody listed": (closed("a_gate_of_tomorrow"), FailureClass.QUALITY),
    "gate on the estimate": (closed("estimated_cost_is_within_budget"), FailureClass.COST),
    "gate on time": (closed("runtime_is_within_budget"), FailureClass.COST),
    "gate on scans": (closed("scan_cost_is_within_budget"), FailureClass.COST),
    "gate on completeness": (closed("raw_is_complete"), FailureClass.UPSTREAM_MISSING),
    "gate on existence": (closed("raw_objects_exist"), FailureClass.UPSTREAM_MISSING),
    "gate on references": (closed("reference_data_is_current"), FailureClass.UPSTREAM_MISSING),
}

SYSTEM = {
    "disk full": (system(errno.ENOSPC), FailureClass.RESOURCE),
    "quota": (system(errno.EDQUOT), FailureClass.RESOURCE),
    "open files": (system(errno.EMFILE), FailureClass.RESOURCE),
    "memory": (system(errno.ENOMEM), FailureClass.RESOURCE),
    "MemoryError": (MemoryError(), FailureClass.RESOURCE),
    "access": (system(errno.EACCES), FailureClass.PERMISSION),
    "not permitted": (system(errno.EPERM), FailureClass.PERMISSION),
    "read-only": (system(errno.EROFS), FailureClass.PERMISSION),
    "time-out": (system(errno.ETIMEDOUT), FailureClass.TRANSIENT),
    "time-out without number": (TimeoutError("slow"), FailureClass.TRANSIENT),
    "reset": (ConnectionResetError(errno.ECONNRESET, "reset"), FailureClass.TRANSIENT),
    "refused": (raised(lambda: socket.create_connection(("127.0.0.1", 1), 1)), FailureClass.TRANSIENT),
    "no name": (raised(lambda: socket.getaddrinfo("no-such-host.invalid", 80)), FailureClass.TRANSIENT),
    "input/output": (system(errno.EIO), FailureClass.TRANSIENT),
    "interrupt": (KeyboardInterrupt(), FailureClass.TRANSIENT),
    "TLS": (ssl.SSLError(1, "handshake"), FailureClass.TRANSIENT),
    "certificate": (ssl.SSLCertVerificationError(1, "expired"), FailureClass.PERMISSION),
    "missing file": (FileNotFoundError(errno.ENOENT, "gone"), FailureClass.UNKNOWN),
    "bug": (raised(lambda: dict[str, int]()["a"]), FailureClass.CODE),
    "division": (raised(lambda: 1 / 0), FailureClass.CODE),
    "anything": (RuntimeError("permission denied, timed out, disk full"), FailureClass.UNKNOWN),
}

LIBRARIES = {
    "duckdb memory": (raised(full_memory), FailureClass.RESOURCE),
    "duckdb file": (raised(query("COPY (SELECT 1) TO '/no/such/folder/x.parquet'")), FailureClass.TRANSIENT),
    "duckdb binder": (raised(query("SELECT a FROM (SELECT 1 AS b)")), FailureClass.CODE),
    "duckdb parser": (raised(query("SELEKT 1")), FailureClass.CODE),
    "duckdb conversion": (raised(query("SELECT CAST('x' AS INTEGER)")), FailureClass.CODE),
    "duckdb connection": (duckdb.ConnectionException("closed"), FailureClass.TRANSIENT),
    "duckdb permission": (duckdb.PermissionException("no"), FailureClass.PERMISSION),
    "pyarrow memory": (raised(lambda: pa.allocate_buffer(1 << 60)), FailureClass.RESOURCE),
    "pyarrow invalid": (raised(lambda: pq.ParquetFile(BytesIO(b"x" * 100))), FailureClass.CODE),
    "pyarrow missing file": (raised(lambda: pq.ParquetFile("/no/such/file")), FailureClass.UNKNOWN),
}

CASES = OWN | SYSTEM | LIBRARIES


@pytest.mark.parametrize(("error", "expected"), CASES.values(), ids=CASES.keys())
def test_an_error_has_its_class(error: BaseException, expected: FailureClass) -> None:
    assert classify_error(error).failure_class is expected


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.SluiceError) and kind is not errors.SluiceError
    ],
)
def test_every_error_of_sluice_has_a_class(kind: type[errors.SluiceError]) -> None:
    made = kind.__new__(kind)
    made.__dict__ |= {"gate": "key_is_unique", "failure_class": "code"}

    assert class_of(made) is not None


def test_a_failure_says_what_was_raised() -> None:
    assert classify_error(ZeroDivisionError("by 0")) == Failure(FailureClass.CODE, "builtins.ZeroDivisionError", "by 0")


def test_a_failure_without_words_is_called_by_its_type() -> None:
    assert classify_error(MemoryError()).message == "MemoryError"


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "cause", "expected"),
    [
        pytest.param(RuntimeError(), system(errno.ENOSPC), FailureClass.RESOURCE, id="unknown wraps disk"),
        pytest.param(ValueError(), system(errno.EACCES), FailureClass.PERMISSION, id="value error wraps permission"),
        pytest.param(duckdb.IOException(), system(errno.ENOSPC), FailureClass.RESOURCE, id="duckdb wraps disk"),
        pytest.param(closed("key_is_unique"), TimeoutError(), FailureClass.QUALITY, id="a gate is not looked through"),
        pytest.param(RuntimeError(), RuntimeError(), FailureClass.UNKNOWN, id="unknown wraps unknown"),
    ],
)
def test_a_cause_decides_where_the_error_itself_does_not(
    error: BaseException, cause: BaseException, expected: FailureClass
) -> None:
    assert classify_error(caused(error, cause)).failure_class is expected


def test_what_decides_is_what_is_named() -> None:
    assert classify_error(caused(RuntimeError("wrapped"), TimeoutError("slow"))).error_type == "builtins.TimeoutError"


def test_causes_in_a_ring_are_looked_at_once() -> None:
    first, second = RuntimeError("first"), RuntimeError("second")

    assert classify_error(caused(first, caused(second, first))).message == "first"


def test_outermost_wins_over_what_other_libraries_say_of_the_cause() -> None:
    foreign: dict[type[BaseException], FailureClass] = {TimeoutError: FailureClass.PERMISSION}
    error = caused(errors.LedgerUnavailable(where="db", problem="slow"), TimeoutError())

    failure = classify_error(error, lambda item: foreign.get(type(item)))

    assert failure.failure_class is FailureClass.SINK_UNAVAILABLE


def test_what_the_other_side_asked_for_is_kept() -> None:
    assert classify_error(TimeoutError(), retry_after=lambda _: timedelta(seconds=7)).retry_after == timedelta(
        seconds=7
    )
