from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.cost.rules import CostRules
from sluice.gates.files_are_well_sized import FILES_ARE_WELL_SIZED, judge
from sluice.gates.verdict import Severity
from sluice.outcome import Fragment
from sluice.profile import FileShape, Profile
from tests.sluice.gates.staged import ORDERS, evidence

MB = 1_000_000


def file(size_bytes: int = 50 * MB, *groups: int) -> FileShape:
    groups = groups or (100_000,)
    return FileShape("part.parquet", size_bytes, sum(groups), groups)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param((), id="no file"),
        pytest.param((file(1),), id="one small file"),
        pytest.param((file(16 * MB), file(16 * MB)), id="just large enough"),
        pytest.param((file(1), file(32 * MB)), id="large enough on average"),
        pytest.param((file(1000 * MB),), id="just small enough"),
        pytest.param((file(50 * MB, 5),), id="one small row group"),
        pytest.param((file(50 * MB, 122_880, 1),), id="a small last row group"),
        pytest.param((file(50 * MB, 2_000_000),), id="largest row group"),
    ],
)
def test_well_sized_files_hold(files: tuple[FileShape, ...]) -> None:
    assert judge(evidence(Profile(files=files))).holds


@pytest.mark.parametrize(
    ("files", "explanation"),
    [
        pytest.param(
            (file(1 * MB), file(2 * MB)), "2 files have 1.5 MB on average, at least 16.0 MB would do.", id="small files"
        ),
        pytest.param(
            (file(), file(1_500 * MB)), "1 file of 2 above 1.0 GB, the largest has 1.5 GB.", id="a large file"
        ),
        pytest.param(
            (file(50 * MB, 9_000, 3_000),),
            "row groups have 6,000 records on average, at least 10,000 would do.",
            id="small row groups",
        ),
        pytest.param(
            (file(50 * MB, 2_000_001),),
            "a row group has 2,000,001 records, at most 2,000,000 would do.",
            id="a large row group",
        ),
    ],
)
def test_files_of_another_size_do_not_hold(files: tuple[FileShape, ...], explanation: str) -> None:
    verdict = judge(evidence(Profile(files=files)))

    assert not verdict.holds
    assert verdict.explanation == explanation


def test_the_contract_sets_the_limits() -> None:
    strict = replace(ORDERS, cost=CostRules(max_file_bytes=10 * MB))

    verdict = judge(evidence(Profile(files=(file(1 * MB), file(70 * MB))), strict))

    assert not verdict.holds
    assert verdict.origin == "contract"
    assert [row["size_bytes"] for row in verdict.sample] == [70 * MB, 1 * MB]


def test_sizes_are_plotted() -> None:
    verdict = judge(evidence(Profile(files=(file(20 * MB, 30_000, 10_000), file(40 * MB, 20_000)))))

    assert verdict.numbers == {
        "files": 2,
        "average_file_bytes": 30 * MB,
        "row_groups": 3,
        "average_row_group_records": 20_000,
    }
    assert verdict.explanation == "2 files, 60.0 MB in all, 3 row groups."
    assert verdict.origin == "default"


def test_it_only_warns_unless_the_contract_says_otherwise() -> None:
    assert FILES_ARE_WELL_SIZED.severity is Severity.WARN


@pytest.mark.parametrize(("files", "holds"), [(8, True), (9, False)], ids=["until they are merged", "but no more"])
def test_fragments_may_have_a_few_small_files(files: int, *, holds: bool) -> None:
    staged = evidence(Profile(files=(file(2 * MB),) * files))
    outcome = staged.outcome.model_copy(update={"fragments": (Fragment(objects=()),) * files})

    assert judge(replace(staged, outcome=outcome)).holds is holds
