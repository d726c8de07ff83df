"""What building will take, from what it took."""

from __future__ import annotations

import pytest

from sluice.cost.budget import SpendState
from sluice.cost.estimate import EstimateErrors, errors, estimate, estimates_by_engine
from sluice.cost.rules import Engine
from tests.sluice.cost.prices import BOOK, contract_with, spend

LINE = [spend(mb=mb, seconds=2 + 0.1 * mb) for mb in (10, 20, 40, 80, 100)]


def seconds(bytes_in_mb: float, *history: object) -> float:
    found = estimate(contract_with(), int(bytes_in_mb * 1e6), 1, history, BOOK, already_staged=False)  # type: ignore[arg-type]
    return found.seconds


def test_without_history_the_measured_default_holds_and_is_named() -> None:
    found = estimate(contract_with(), 49_000_000, 3, [], BOOK, already_staged=False)

    assert found.seconds == pytest.approx(3.73)
    assert (found.bytes_in, found.objects) == (49_000_000, 3)
    assert found.basis == "no history yet (0 of 3 builds): 0.3 s + 0.07 s per MB"


def test_the_fixed_and_the_growing_part_are_learned() -> None:
    assert seconds(50, *LINE) == pytest.approx(7.0)
    assert seconds(1000, *LINE) == pytest.approx(102.0)


def test_the_basis_says_from_how_many_builds() -> None:
    found = estimate(contract_with(), 1, 1, LINE, BOOK, already_staged=False)

    assert found.basis == "5 builds of this dataset: 2 s + 0.1 s per MB"


def test_one_build_on_a_busy_machine_does_not_move_the_line() -> None:
    assert seconds(50, *LINE, spend(mb=30, seconds=500)) == pytest.approx(7.0, rel=0.1)


def test_equal_sizes_are_taken_as_proportional_not_as_a_line_through_noise() -> None:
    cloud = [spend(mb=mb, seconds=s) for mb, s in ((10, 1.4), (10.1, 1.2), (10.2, 1.3), (9.9, 1.35))]

    assert seconds(10, *cloud) == pytest.approx(1.3, rel=0.1)
    assert seconds(1000, *cloud) == pytest.approx(100, rel=0.1)


def test_time_that_shrinks_with_size_is_not_believed() -> None:
    shrinking = [spend(mb=mb, seconds=s) for mb, s in ((10, 5.0), (50, 4.0), (100, 3.0))]

    assert seconds(1000, *shrinking) > seconds(100, *shrinking) > 0


def test_empty_files_only_say_what_the_fixed_part_is() -> None:
    assert seconds(0, *[spend(mb=0, seconds=0.5)] * 3) == pytest.approx(0.5)


def test_only_the_newest_builds_count() -> None:
    slow, fast = [spend(mb=mb, seconds=mb) for mb in (10, 100) * 60], [spend(mb=mb, seconds=1) for mb in (10, 15) * 30]

    assert seconds(12, *slow, *fast) < 2


@pytest.mark.parametrize("state", [SpendState.FAILED, SpendState.KILLED, SpendState.RESERVED])
def test_builds_that_did_not_end_well_teach_nothing(state: SpendState) -> None:
    assert seconds(50, *LINE, *[spend(mb=50, seconds=0.01, state=state)] * 50) == pytest.approx(7.0)


def test_what_was_staged_already_teaches_nothing() -> None:
    assert seconds(50, *LINE, *[spend(mb=50, seconds=0.0, usd=0.0)] * 50) == pytest.approx(7.0)


def test_staged_data_cost_nothing_again() -> None:
    found = estimate(contract_with(), 10**12, 9, LINE, BOOK, already_staged=True)

    assert (found.seconds, found.usd, found.basis) == (0.0, 0.0, "already staged")


def test_dollars_are_those_of_the_contracts_engine() -> None:
    found = {
        engine: estimate(contract_with(engine=engine), 980_000_000, 1, LINE, BOOK, already_staged=False)
        for engine in Engine
    }

    assert {engine: item.usd for engine, item in found.items()} == dict(
        estimates_by_engine(contract_with(), found[Engine.LOCAL], BOOK)
    )
    assert found[Engine.GLUE].usd > found[Engine.FARGATE].usd > found[Engine.LOCAL].usd > 0


def test_errors_say_how_far_off_and_to_which_side() -> None:
    history = [spend(estimated_seconds=estimated, seconds=1.0) for estimated in (1.5, 1.2, 0.9)]

    found = errors(history)

    assert found.builds == 3
    assert found.median_share == pytest.approx(0.2)
    assert found.bias == pytest.approx(0.2)


def test_without_builds_there_is_no_error() -> None:
    free = spend(estimated_seconds=0.0, seconds=0.0)

    assert errors([free, spend(state=SpendState.FAILED)]) == EstimateErrors(0)
