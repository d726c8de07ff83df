"""What a rebuild does to records that the version before had rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from sluice.manifest import RawObject, build_manifest
from sluice.outcome import ObjectBalance, Outcome, ReasonCount, Redriven, Superseded
from sluice.quarantine import SCHEMA, QuarantineFile, Rejected, copy_reasons
from sluice.quarantine_reader import Reason, read_quarantine
from sluice.redriving import candidates, compare, compare_objects
from sluice.version import Version

if TYPE_CHECKING:
    from pathlib import Path

    from sluice.manifest import Manifest

DAY = "2026-11-03"
VERSION = Version("f1", "c1", "1")


def manifest(*etags: str) -> Manifest:
    objects = tuple(RawObject(f"raw/{number}.jsonl", etag, 10) for number, etag in enumerate(etags))
    return build_manifest("orders", DAY, objects)


def quarantine(path: Path, contract_version: str, etags: tuple[str, ...], *rejected: Rejected) -> Path:
    with QuarantineFile(path, manifest(*etags), contract_version=contract_version, run_id="run") as file:
        file.write(rejected)
    return path


def rejected(line: int | None, code: str = "wrong_type", number: int = 0) -> Rejected:
    return Rejected(number, line, b"{}", code, f"value {line}")


def redrive(tmp_path: Path, before: Path, now: Path, *etags: str) -> tuple[Redriven, Path]:
    copy = tmp_path / "earlier.parquet"
    copy_reasons([lambda: before.open("rb")], copy)
    target = tmp_path / "target.parquet"
    return compare([str(now)], copy, manifest(*etags), VERSION, target), target


def test_what_passes_now_has_returned_and_what_fails_again_stays(tmp_path: Path) -> None:
    before = quarantine(tmp_path / "before", "1.0.0", ("e",), rejected(1), rejected(2), rejected(3))
    now = quarantine(tmp_path / "now", "1.1.0", ("e",), rejected(3, "too_small"), rejected(4))

    redriven, _ = redrive(tmp_path, before, now, "e")

    assert redriven == Redriven(version="f1-c1-1", returned=2, stayed=1, superseded=0)


def test_the_new_reason_stands_beside_the_old_one(tmp_path: Path) -> None:
    before = quarantine(tmp_path / "before", "1.0.0", ("e",), rejected(3))
    now = quarantine(tmp_path / "now", "1.1.0", ("e",), rejected(4), rejected(3, "too_small"))

    _, target = redrive(tmp_path, before, now, "e")

    with target.open("rb") as file:
        fresh, again = read_quarantine(file)
    assert (fresh.line, fresh.earlier_reasons, fresh.earlier_contract) == (4, (), None)
    assert (again.line, again.reasons) == (3, (Reason("too_small", None, "value 3"),))
    assert (again.earlier_reasons, again.earlier_contract) == ((Reason("wrong_type", None, "value 3"),), "1.0.0")


def test_bytes_and_columns_stay_as_they_were(tmp_path: Path) -> None:
    before = quarantine(tmp_path / "before", "1.0.0", ("e",), rejected(3))
    now = quarantine(tmp_path / "now", "1.1.0", ("e",), rejected(3))

    _, target = redrive(tmp_path, before, now, "e")

    added = ["earlier_reasons", "earlier_contract_version"]
    assert pq.read_table(target).drop(added).to_pylist() == pq.read_table(now).drop(added).to_pylist()
    assert pq.read_schema(target).names == SCHEMA.names


@pytest.mark.parametrize(
    ("now", "counts"),
    [
        pytest.param((rejected(None, "not_gzip"),), (0, 1, 0), id="still broken"),
        pytest.param((rejected(1), rejected(2)), (1, 0, 0), id="can be read now"),
    ],
)
def test_an_object_that_was_rejected_whole_counts_as_one(
    tmp_path: Path, now: tuple[Rejected, ...], counts: tuple[int, int, int]
) -> None:
    before = quarantine(tmp_path / "before", "1.0.0", ("e",), rejected(None, "not_gzip"))

    redriven, _ = redrive(tmp_path, before, quarantine(tmp_path / "now", "1.1.0", ("e",), *now), "e")

    assert (redriven.returned, redriven.stayed, redriven.superseded) == counts


def test_records_of_a_replaced_object_are_superseded(tmp_path: Path) -> None:
    before = quarantine(tmp_path / "before", "1.0.0", ("old", "same"), rejected(1), rejected(1, number=1))
    now = quarantine(tmp_path / "now", "1.0.0", ("new", "same"), rejected(1))

    redriven, _ = redrive(tmp_path, before, now, "new", "same")

    assert (redriven.returned, redriven.stayed, redriven.superseded) == (1, 0, 1)


def outcome(partition: str, quarantined: int, *codes: str) -> Outcome:
    balance = ObjectBalance(
        key="k", etag="e", records_in=quarantined, published=0, quarantined=quarantined, duplicates=0
    )
    return Outcome(
        dataset="orders",
        partition=partition,
        fingerprint="f",
        contract_version="1",
        contract_fingerprint="c",
        code_version="1",
        run_id="run",
        objects=(balance,),
        files=(),
        quarantine_files=(),
        reasons=tuple(ReasonCount(key="k", code=code, column=None, records=1) for code in codes),
    )


FULL, OTHER, EMPTY = outcome(DAY, 2, "wrong_type"), outcome("2026-11-04", 1, "too_small"), outcome("2026-11-05", 0)


@pytest.mark.parametrize(
    ("partition", "reason", "found"),
    [
        pytest.param(None, None, (FULL, OTHER), id="all"),
        pytest.param(DAY, None, (FULL,), id="of a date"),
        pytest.param(None, "too_small", (OTHER,), id="for a reason"),
        pytest.param(DAY, "too_small", (), id="neither"),
    ],
)
def test_candidates_have_something_in_quarantine(
    partition: str | None, reason: str | None, found: tuple[Outcome, ...]
) -> None:
    assert candidates((FULL, OTHER, EMPTY), partition=partition, reason=reason) == found


def test_what_a_redrive_wrote_can_be_redriven_again(tmp_path: Path) -> None:
    before = quarantine(tmp_path / "before", "1.0.0", ("e",), rejected(3))
    now = quarantine(tmp_path / "now", "1.1.0", ("e",), rejected(3, "too_small"))
    _, written = redrive(tmp_path, before, now, "e")
    copy_reasons([lambda: written.open("rb")], tmp_path / "again")

    assert compare([str(now)], tmp_path / "again", manifest("e"), VERSION).stayed == 1


def balance(key: str, etag: str, quarantined: int) -> ObjectBalance:
    return ObjectBalance(
        key=key, etag=etag, records_in=9, published=9 - quarantined, quarantined=quarantined, duplicates=0
    )


def of_objects(*objects: ObjectBalance) -> Outcome:
    return Outcome(
        dataset="orders",
        partition=DAY,
        fingerprint="f1",
        contract_version="1.0.0",
        contract_fingerprint="c1",
        code_version="1",
        run_id="run",
        objects=objects,
        files=(),
        quarantine_files=(),
    )


def test_balances_tell_what_stayed_and_what_was_replaced_or_removed() -> None:
    earlier = of_objects(balance("a", "e1", 2), balance("b", "e2", 3), balance("c", "e3", 1), balance("d", "e4", 0))

    redriven = compare_objects([balance("a", "e1", 2), balance("b", "e9", 0), balance("new", "e5", 4)], earlier)

    closed_by = (Superseded(key="b", etag="e2", records=3, by="e9"), Superseded(key="c", etag="e3", records=1))
    assert redriven == Redriven(version="f1-c1-1", returned=0, stayed=2, superseded=4, closed_by=closed_by)


def test_balances_say_nothing_where_an_unchanged_object_has_another_count() -> None:
    assert compare_objects([balance("a", "e1", 1)], of_objects(balance("a", "e1", 2))) is None
