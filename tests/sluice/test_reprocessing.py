"""Which partitions a new contract is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sluice.contract import Column, Contract, FileFormat, Shim, Source
from sluice.datatypes import Integer, Text
from sluice.drift_kind import DriftKind
from sluice.healing.failure import FailureClass
from sluice.history import Attempt, Published
from sluice.outcome import FieldDrift, ObjectBalance, Outcome, ReasonCount
from sluice.reprocessing import reprocessings

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = "2026-11-20"
NEW = Contract(
    "orders",
    "1.1.0",
    (Column("id", Integer()), Column("channel", Text(), shim=Shim(also_called=("kanal",)))),
    source=Source("orders/date={date}/*", FileFormat.JSONL),
    fingerprint="new",
)


@dataclass(frozen=True)
class Seen:
    published: tuple[Outcome, ...] = ()
    last: Attempt | None = None

    def published_under_others(self, dataset: str, contract: str) -> tuple[Published, ...]:
        found = [o for o in self.published if (o.dataset, o.contract_fingerprint == contract) == (dataset, False)]
        return tuple(Published(outcome, 1, NOON) for outcome in found)

    def last_attempt(self, dataset: str, partition: str) -> Attempt | None:  # noqa: ARG002  there is one partition
        return self.last


def outcome(**changes: Any) -> Outcome:
    balance = ObjectBalance(key="a", etag="e", records_in=2, published=1, quarantined=1, duplicates=0)
    built = Outcome(
        dataset="orders",
        partition=DAY,
        fingerprint="raw",
        contract_version="1.0.0",
        contract_fingerprint="old",
        code_version="1",
        run_id="run",
        objects=(balance,),
        files=(),
        quarantine_files=(),
    )
    return built.model_copy(update=changes)


def attempt(version: str, failure_class: FailureClass | None = None) -> Attempt:
    return Attempt("orders", DAY, version, 1, "run", NOON, NOON, "error" if failure_class else None, failure_class)


def reason(code: str) -> tuple[ReasonCount, ...]:
    return (ReasonCount(key="a", code=code, column=None, records=1),)


def drift(kind: DriftKind) -> tuple[FieldDrift, ...]:
    return (FieldDrift(key="a", kind=kind, field="x", records=2),)


@pytest.mark.parametrize(
    ("held", "is_asked"),
    [
        pytest.param(outcome(reasons=reason("schema_drift")), True, id="quarantined for drift"),
        pytest.param(outcome(reasons=reason("unknown_field")), True, id="rejected for an unknown field"),
        pytest.param(outcome(reasons=reason("header_mismatch")), True, id="a header that did not fit"),
        pytest.param(outcome(drift=drift(DriftKind.RETYPED)), True, id="retyped"),
        pytest.param(outcome(unknown_fields=("channel",)), True, id="a field that is a column now"),
        pytest.param(outcome(unknown_fields=("kanal",)), True, id="a field that is another name now"),
        pytest.param(outcome(unknown_fields=("x",), drift=drift(DriftKind.UNKNOWN)), False, id="still unknown"),
        pytest.param(outcome(reasons=reason("not_allowed")), False, id="rejected by a rule"),
        pytest.param(outcome(), False, id="whole"),
        pytest.param(outcome(reasons=reason("schema_drift"), contract_fingerprint="new"), False, id="already under it"),
        pytest.param(outcome(reasons=reason("schema_drift"), stand_in="fallback"), False, id="a stand-in"),
    ],
)  # fmt: skip
def test_what_lacks_records_for_its_fields_is_asked_for(held: Outcome, is_asked: bool) -> None:  # noqa: FBT001
    found = reprocessings([NEW], (), Seen((held,)))

    assert [(item.partition, item.run_id) for item in found] == ([(DAY, "run")] if is_asked else [])


@pytest.mark.parametrize(
    ("last", "is_asked"),
    [
        pytest.param(attempt("raw-old-1"), True, id="under the old contract"),
        pytest.param(attempt("raw-new-1"), False, id="with success"),
        pytest.param(attempt("raw-new-1", FailureClass.TRANSIENT), False, id="in vain: others retry it"),
        pytest.param(attempt("later-new-1"), False, id="with later files"),
    ],
)
def test_one_that_was_tried_under_its_present_contract_is_left_out(last: Attempt, is_asked: bool) -> None:  # noqa: FBT001
    found = reprocessings([NEW], (), Seen((outcome(reasons=reason("schema_drift")),), last))

    assert bool(found) is is_asked


@pytest.mark.parametrize(
    ("failure_class", "is_asked"),
    [
        pytest.param(FailureClass.SCHEMA_DRIFT, True, id="drift"),
        pytest.param(FailureClass.QUALITY, True, id="a gate on data"),
        pytest.param(FailureClass.CODE, False, id="code"),
        pytest.param(FailureClass.TRANSIENT, False, id="what is retried"),
    ],
)
def test_what_its_data_kept_out_is_asked_for(failure_class: FailureClass, is_asked: bool) -> None:  # noqa: FBT001
    failed = attempt("raw-old-1", failure_class)

    assert bool(reprocessings([NEW], (failed,), Seen(last=failed))) is is_asked


def test_derived_datasets_have_their_own_ways() -> None:
    derived = replace(NEW, source=None, transform_sql="select 1")

    assert reprocessings([derived], (), Seen((outcome(reasons=reason("schema_drift")),))) == ()
