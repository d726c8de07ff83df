from __future__ import annotations

import math
import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.expected import Limits, limits_of, measure_of
from sluice.gate_rules import Expected, Metric

MONDAY = date(2026, 3, 2).toordinal()
ROWS = Expected(Metric("row_count"))
COUNT = measure_of("row_count", ())

Series = list[tuple[int, float]]


def days(values: list[float]) -> Series:
    return [(MONDAY + position, value) for position, value in enumerate(values)]


def noisy(count: int, *, usual: float = 1000.0, noise: float = 0.03, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [float(round(usual * math.exp(chance.gauss(0, noise)))) for _ in range(count)]


def weekly(count: int, *, weekend: float = 0.3) -> list[float]:
    return [value * (weekend if position % 7 >= 5 else 1) for position, value in enumerate(noisy(count))]


def learned(values: list[float], *, rule: Expected = ROWS, accepted: Series | None = None, ahead: int = 0) -> Limits:
    history = days(values)
    return limits_of(rule, COUNT, history, MONDAY + len(values) + ahead, accepted or [])


def alarms(values: list[float], *, accept: bool = True, rule: Expected = ROWS) -> list[int]:
    """Walk as the gate does: what alarms is accepted and published, or stays out of the history."""
    history: Series = []
    accepted: Series = []
    found = []
    for day, value in days(values):
        limits = limits_of(rule, COUNT, history, day, accepted)
        holds = limits.hold(value)
        if not holds:
            found.append(day - MONDAY)
            accepted += [(day, value)] if accept else []
        history += [(day, value)] if holds or accept else []
    return found


def test_nothing_is_expected_below_eight_partitions() -> None:
    limits = learned(noisy(7))

    assert limits.bands == ()
    assert limits.hold(0)
    assert limits.origin == "7 published partitions before it; limits are learned from 8 on"


def test_a_short_history_warns_and_does_not_block() -> None:
    limits = learned(noisy(8))

    assert not limits.hold(0)
    assert not limits.may_block
    assert "it may block from 14 on" in limits.origin


def test_fourteen_partitions_may_block() -> None:
    assert learned(noisy(14)).may_block
    assert not learned(noisy(14), rule=Expected(Metric("row_count"), minimum_history=15)).may_block


def test_a_usual_value_holds_and_a_far_one_does_not() -> None:
    limits = learned(noisy(60))

    assert limits.hold(1000)
    assert not limits.hold(600)
    assert not limits.hold(1600)
    assert not limits.hold(0)


def test_a_history_that_never_changed_allows_a_little() -> None:
    limits = learned([195.0] * 60)

    assert limits.hold(194)
    assert limits.hold(196)
    assert not limits.hold(150)


def test_zero_is_unusual_unless_it_is_not() -> None:
    closed_on_weekends = [0.0 if position % 7 >= 5 else value for position, value in enumerate(noisy(54))]

    saturday = learned(closed_on_weekends[:54])

    assert 54 % 7 == 5
    assert saturday.hold(0)
    assert not saturday.hold(1000)
    assert not learned(closed_on_weekends[:53]).hold(0)


def test_a_weekend_is_judged_by_weekends() -> None:
    limits = learned(weekly(54))

    assert limits.hold(300)
    assert not limits.hold(1000)
    assert limits.origin.startswith(
        "learned from 7 Saturdays among the newest 54 partitions before 2026-04-25 (usual 301,"
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_first_weeks_of_a_weekly_pattern_do_not_alarm(seed: int) -> None:
    values = [
        value * (0.3 if position % 7 >= 5 else 1) for position, value in enumerate(noisy(60, noise=0.05, seed=seed))
    ]

    assert alarms(values) == []


def test_steady_growth_does_not_alarm() -> None:
    assert alarms([value * 1.01**position for position, value in enumerate(noisy(300))]) == []


def test_a_month_is_judged_by_the_same_month() -> None:
    months = [
        (date(2020 + at // 12, at % 12 + 1, 1).toordinal(), 3000.0 if at % 12 == 11 else 1000.0) for at in range(47)
    ]

    limits = limits_of(ROWS, COUNT, months, date(2023, 12, 1).toordinal())

    assert limits.hold(3000)
    assert not limits.hold(1000)
    assert "3 Decembers" in limits.origin


def test_blocked_days_are_missing_and_do_not_matter() -> None:
    history = [point for point in days(weekly(60)) if point[0] % 5]

    limits = limits_of(ROWS, COUNT, history, MONDAY + 60)

    assert limits.hold(1000)
    assert not limits.hold(500)


@pytest.mark.parametrize("factor", [1.6, 0.6])
def test_a_level_shift_alarms_once_and_is_learned_when_accepted(factor: float) -> None:
    values = [value * (factor if position >= 60 else 1) for position, value in enumerate(weekly(160))]

    assert alarms(values) == [60]


def test_a_level_shift_that_nobody_accepts_stays_out() -> None:
    values = [value * (1.6 if position >= 60 else 1) for position, value in enumerate(noisy(75))]

    assert alarms(values, accept=False) == list(range(60, 75))


def test_a_shift_too_small_for_one_day_is_seen_on_a_few() -> None:
    values = [value * (1.5 if position >= 60 else 1) for position, value in enumerate(noisy(160, noise=0.12))]

    found = alarms(values)

    assert len(found) == 1
    assert 61 <= found[0] <= 64


def test_weather_that_lasts_is_no_shift() -> None:
    chance = random.Random(0)
    weather, values = 0.0, []
    for _ in range(300):
        weather = 0.8 * weather + chance.gauss(0, 0.1)
        values.append(1000 * math.exp(weather))

    assert alarms(values) == []


def test_both_levels_are_right_until_it_settles() -> None:
    accepted = [(MONDAY + 60, 1600.0)]

    limits = learned([*noisy(60), 1600.0, 1000.0, 1580.0], accepted=accepted)

    assert len(limits.bands) == 2
    assert limits.hold(1000)
    assert limits.hold(1600)
    assert not limits.hold(1300)
    assert not limits.hold(3000)
    assert "the level accepted on 2026-05-01 holds as well until it settles" in limits.origin


def test_an_accepted_level_is_known_less_well_than_the_old_one() -> None:
    old, new = learned([*noisy(60), 1600.0], accepted=[(MONDAY + 60, 1600.0)]).bands

    assert new.upper / new.lower > 1.05 * old.upper / old.lower


def test_two_of_a_weekday_are_known_less_well_than_seven() -> None:
    young, old = learned(weekly(14)), learned(weekly(49))

    assert young.upper / young.lower > 1.1 * old.upper / old.lower


def test_three_partitions_at_the_new_level_do_not_make_it_the_level() -> None:
    limits = learned([*noisy(60), 1600.0, *noisy(3, usual=1600)], accepted=[(MONDAY + 60, 1600.0)])

    assert limits.hold(1000)


def test_four_partitions_at_the_new_level_make_it_the_level() -> None:
    limits = learned([*noisy(60), 1600.0, *noisy(4, usual=1600)], accepted=[(MONDAY + 60, 1600.0)])

    assert limits.hold(1600)
    assert not limits.hold(1000)
    assert "the level is the one accepted on 2026-05-01" in limits.origin


def test_four_partitions_at_the_old_level_make_it_an_exception() -> None:
    limits = learned([*noisy(60), 1600.0, *noisy(4)], accepted=[(MONDAY + 60, 1600.0)])

    assert limits.hold(1000)
    assert not limits.hold(1600)


def test_an_accepted_disaster_does_not_excuse_the_next() -> None:
    limits = learned([*noisy(60), 0.0, *noisy(4)], accepted=[(MONDAY + 60, 0.0)])

    assert not limits.hold(0)


def test_a_new_level_keeps_its_weekdays() -> None:
    values = [value * (2 if position >= 60 else 1) for position, value in enumerate(weekly(68))]

    saturday = learned(values, accepted=[(MONDAY + 60, values[60])], ahead=68 // 7 * 7 + 5 - 68 + 7)

    assert saturday.hold(600)
    assert not saturday.hold(2000)


def test_fixed_limits_need_no_history() -> None:
    limits = learned([], rule=Expected(Metric("row_count"), minimum=10, maximum=20))

    assert limits.may_block
    assert limits.origin == "contract"
    assert [limits.hold(value) for value in (9, 10, 20, 21)] == [False, True, True, False]


def test_within_is_a_share_of_the_usual() -> None:
    limits = learned([1000.0] * 20, rule=Expected(Metric("row_count"), within=0.2))

    assert (limits.lower, limits.upper) == (800, 1200)
    assert "20 % around it are allowed" in limits.origin


def test_a_wider_sensitivity_widens_the_limits() -> None:
    narrow, wide = (learned(noisy(60), rule=Expected(Metric("row_count"), sensitivity=k)) for k in (4, 8))

    assert wide.lower < narrow.lower
    assert wide.upper > narrow.upper


def test_shares_may_move_by_a_point() -> None:
    measure = measure_of("null_share", ())
    limits = limits_of(Expected(Metric("null_share", "note")), measure, days([0.0] * 30), MONDAY + 30)

    assert limits.hold(0.009)
    assert not limits.hold(0.02)
    assert limits.lower == 0


def test_metrics_around_zero_are_compared_by_difference() -> None:
    values = [(-1) ** position * 0.5 + position % 3 for position in range(60)]
    limits = limits_of(Expected(Metric("mean", "delta")), measure_of("mean", values), days(values), MONDAY + 60)

    assert limits.hold(0)
    assert limits.hold(-1)
    assert not limits.hold(100)
    assert not limits.hold(-100)


def test_instants_are_compared_by_time_of_day() -> None:
    measure = measure_of("maximum", (), temporal=True)
    midnight = (MONDAY - date(1970, 1, 1).toordinal()) * 86_400
    history = [(MONDAY + at, midnight + at * 86_400 + 86_000.0) for at in range(30)]

    limits = limits_of(Expected(Metric("maximum", "created_at")), measure, history, MONDAY + 30)

    assert limits.hold(midnight + 30 * 86_400 + 85_900)
    assert not limits.hold(midnight + 29 * 86_400 + 86_000)
    assert measure.text(limits.upper).startswith("2026-04-02T")


def test_months_without_a_partition_do_not_stretch_a_slope() -> None:
    values = [value * 1.01**position for position, value in enumerate(noisy(56))]

    assert learned(values, ahead=365).upper < 5 * values[-1]


@settings(deadline=None, max_examples=50)
@given(factor=st.floats(2, 1000), seed=st.integers(0, 1000))
def test_limits_grow_with_the_rows(factor: float, seed: int) -> None:
    values = noisy(40, usual=100_000, seed=seed)
    limits, scaled = learned(values), learned([value * factor for value in values])

    assert scaled.lower == pytest.approx(limits.lower * factor, rel=0.001)
    assert scaled.upper == pytest.approx(limits.upper * factor, rel=0.001)


@settings(deadline=None, max_examples=50)
@given(position=st.integers(0, 55), outlier=st.floats(0, 1e9), seed=st.integers(0, 100))
def test_one_outlier_moves_the_limits_little(position: int, outlier: float, seed: int) -> None:
    values = noisy(60, seed=seed)
    limits = learned(values)
    spoilt = learned([*values[:position], outlier, *values[position + 1 :]])

    assert spoilt.lower == pytest.approx(limits.lower, rel=0.1)
    assert spoilt.upper == pytest.approx(limits.upper, rel=0.1)


@settings(deadline=None, max_examples=100)
@given(
    values=st.lists(st.floats(0, 1e12), min_size=8, max_size=70),
    accepted=st.lists(st.tuples(st.integers(0, 69), st.floats(0, 1e12)), max_size=3, unique_by=lambda item: item[0]),
)
def test_any_history_gives_finite_limits_in_order(values: list[float], accepted: list[tuple[int, float]]) -> None:
    limits = learned(values, accepted=sorted((MONDAY + at, value) for at, value in accepted if at < len(values)))

    assert all(math.isfinite(edge) and edge >= 0 for band in limits.bands for edge in (band.lower, band.upper))
    assert all(band.lower <= band.upper for band in limits.bands)
    assert limits.expected is not None
    assert len(limits.bands) <= 1 + len(accepted)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 1000), count=st.integers(8, 60))
def test_what_is_expected_holds(seed: int, count: int) -> None:
    limits = learned(noisy(count, seed=seed))

    assert limits.expected is not None
    assert limits.hold(limits.expected)
