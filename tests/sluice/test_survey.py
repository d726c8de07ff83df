from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sluice.contract import CODE_VERSION, Column, Contract, FileFormat, Source, fingerprint_of
from sluice.datatypes import Integer
from sluice.history import Attempt, Published
from sluice.manifest import Manifest, RawObject, build_manifest
from sluice.outcome import Outcome
from sluice.partition_state import State
from sluice.survey import survey
from sluice.version import Version

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
FIRST, SECOND = "2026-11-01", "2026-11-02"


def contract(dataset: str, transform_sql: str | None = None) -> Contract:
    source = None if transform_sql else Source(f"{dataset}/date={{date}}/*", FileFormat.CSV)
    declared = Contract(dataset, "1.0.0", (Column("n", Integer()),), source=source, transform_sql=transform_sql)
    return replace(declared, fingerprint=fingerprint_of(declared))


CONTRACTS = {
    item.dataset: item
    for item in (contract("orders"), contract("customers"), contract("both", "SELECT 1 AS n FROM orders, customers"))
}


def manifest(dataset: str, partition: str, etag: str = "1") -> Manifest:
    return build_manifest(dataset, partition, (RawObject(f"raw/{dataset}/{partition}", etag, 1),))


def published(dataset: str, partition: str, fingerprint: str) -> Published:
    outcome = Outcome(
        dataset=dataset,
        partition=partition,
        fingerprint=fingerprint,
        contract_version="1.0.0",
        contract_fingerprint=CONTRACTS[dataset].fingerprint,
        code_version=CODE_VERSION,
        run_id="run",
        objects=(),
        files=(),
        quarantine_files=(),
    )
    return Published(outcome, 1, NOON)


def never_tried(dataset: str, partition: str) -> Attempt | None:
    del dataset, partition
    return None


def test_a_landed_partition_is_pending_then_published_then_stale() -> None:
    landed = manifest("orders", FIRST)
    held = published("orders", FIRST, landed.fingerprint)

    states = [
        survey(CONTRACTS, [landed], [], never_tried)[0].state,
        survey(CONTRACTS, [landed], [held], never_tried)[0].state,
        survey(CONTRACTS, [manifest("orders", FIRST, "2")], [held], never_tried)[0].state,
    ]

    assert states == [State.PENDING, State.PUBLISHED, State.STALE]


def test_a_changed_contract_makes_its_partitions_stale() -> None:
    landed = manifest("orders", FIRST)
    held = published("orders", FIRST, landed.fingerprint)
    changed = CONTRACTS | {"orders": replace(CONTRACTS["orders"], fingerprint="f" * 12)}

    assert [item.state for item in survey(changed, [landed], [held], never_tried)] == [State.STALE]


def test_a_failed_try_is_shown_with_its_error() -> None:
    landed = manifest("orders", FIRST)
    version = Version(landed.fingerprint, CONTRACTS["orders"].fingerprint, CODE_VERSION)

    (found,) = survey(
        CONTRACTS,
        [landed],
        [],
        lambda dataset, partition: Attempt(dataset, partition, str(version), 1, "run", NOON, NOON, "boom"),
    )

    assert (found.state, found.error) == (State.FAILED, "boom")


def test_a_derived_partition_is_pending_once_all_its_inputs_are_published() -> None:
    held = [
        published("orders", FIRST, "a" * 16),
        published("customers", FIRST, "b" * 16),
        published("orders", SECOND, "c" * 16),
    ]

    found = {(item.dataset, item.partition): item.state for item in survey(CONTRACTS, [], held, never_tried)}

    assert found["both", FIRST] is State.PENDING
    assert ("both", SECOND) not in found


def test_a_derived_partition_is_stale_once_an_input_is_published_anew() -> None:
    inputs = [published("orders", FIRST, "a" * 16), published("customers", FIRST, "b" * 16)]
    built = published("both", FIRST, "d" * 16)

    found = {item.dataset: item.state for item in survey(CONTRACTS, [], [*inputs, built], never_tried)}

    assert found["both"] is State.STALE


def test_partitions_come_in_order_and_those_without_a_contract_are_left_out() -> None:
    manifests = [manifest("orders", SECOND), manifest("forgotten", FIRST), manifest("orders", FIRST)]

    found = survey(CONTRACTS, manifests, [], never_tried)

    assert [(item.dataset, item.partition) for item in found] == [("orders", FIRST), ("orders", SECOND)]
