from __future__ import annotations

import pytest

from sluice.gates.schema_matches_contract import SCHEMA_MATCHES_CONTRACT, judge
from sluice.profile import Profile
from tests.sluice.gates.staged import SCHEMA, THOUSAND, evidence

ID, AMOUNT, NOTE, PARTITION = SCHEMA


def test_the_declared_columns_hold() -> None:
    verdict = judge(evidence(Profile(files=(THOUSAND,), schema=SCHEMA)))

    assert verdict.holds
    assert verdict.explanation == "All 4 columns are the contract's."
    assert verdict.numbers == {"columns": 4, "declared_columns": 4, "differing_columns": 0}


@pytest.mark.parametrize(
    ("schema", "explanation"),
    [
        pytest.param((ID, AMOUNT, PARTITION), "note is missing.", id="missing"),
        pytest.param((ID, AMOUNT, NOTE), "partition_date is missing.", id="no partition column"),
        pytest.param((*SCHEMA, ("extra", "DATE")), "extra is not declared.", id="undeclared"),
        pytest.param(
            (ID, ("amount", "DOUBLE"), NOTE, PARTITION),
            "amount is DOUBLE, the contract says DECIMAL(12,2).",
            id="another type",
        ),
        pytest.param(
            (AMOUNT, ID, NOTE, PARTITION),
            "The columns are in another order: amount, id, note, partition_date;"
            " the contract's is id, amount, note, partition_date.",
            id="another order",
        ),
        pytest.param(
            (("Id", "BIGINT"), PARTITION),
            "id is missing; amount is missing; note is missing; 1 more differ.",
            id="more than three",
        ),
    ],
)
def test_other_columns_do_not_hold_and_are_named(schema: tuple[tuple[str, str], ...], explanation: str) -> None:
    verdict = judge(evidence(Profile(files=(THOUSAND,), schema=schema)))

    assert not verdict.holds
    assert verdict.explanation == explanation


def test_what_differs_is_shown_beside_what_is_declared() -> None:
    verdict = judge(evidence(Profile(files=(THOUSAND,), schema=(ID, ("amount", "DOUBLE"), NOTE, PARTITION))))

    assert verdict.sample == ({"column": "amount", "declared": "DECIMAL(12,2)", "staged": "DOUBLE"},)


def test_a_partition_without_a_file_holds() -> None:
    assert judge(evidence(Profile())).explanation == "No file was staged."
    assert judge(evidence(Profile())).holds


def test_nobody_can_accept_other_columns() -> None:
    assert not SCHEMA_MATCHES_CONTRACT.acceptable
