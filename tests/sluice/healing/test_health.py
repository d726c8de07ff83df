"""How well failures are noticed and healed, and what healing costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sluice.cost.budget import Estimate, Purpose, Request, Spend, SpendState
from sluice.healing.failure import FailureClass
from sluice.healing.healing_cost import with_costs
from sluice.healing.health import Health, Times, health
from sluice.healing.incident import Incident, RemedyKind, RemedyTaken
from sluice.history import Published
from sluice.outcome import ObjectBalance, Outcome

NOW = datetime(2026, 11, 30, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
DAYS = 30
BEFORE = NOW - 31 * DAY
YESTERDAY = NOW - DAY

INCIDENT = Incident(
    number=1,
    dataset="orders",
    partition="2026-11-03",
    version="v",
    failure_class=FailureClass.TRANSIENT,
    opened_at=YESTERDAY - 2 * MINUTE,
    detected_at=YESTERDAY,
    evidence="it broke",
    run_id="run-1",
)


def resolved(after: timedelta, by: str = "sluice", *, detected_at: datetime = YESTERDAY) -> Incident:
    return replace(
        INCIDENT,
        opened_at=detected_at - 2 * MINUTE,
        detected_at=detected_at,
        resolved_at=detected_at + after,
        resolved_by=by,
    )


def remedy(kind: RemedyKind, taken_at: datetime = YESTERDAY) -> RemedyTaken:
    return RemedyTaken(kind, taken_at)


def spend(
    usd: float | None,
    at: datetime = YESTERDAY,
    *,
    purpose: Purpose = Purpose.HEALING,
    partition: str = "2026-11-03",
    dataset: str = "orders",
) -> Spend:
    request = Request(dataset, partition, "v", "run", "2026-11", purpose, Estimate(1, 1, 1, usd=99))
    state = SpendState.RESERVED if usd is None else SpendState.FAILED
    return Spend(request, state, reserved_at=at, actual_usd=usd)


def published(quarantined: int, at: datetime = YESTERDAY, *, dataset: str = "orders") -> Published:
    balance = ObjectBalance(
        key="k", etag="e", records_in=quarantined + 1, published=1, quarantined=quarantined, duplicates=0
    )
    outcome = Outcome(
        dataset=dataset,
        partition="2026-11-03",
        fingerprint="f" * 16,
        contract_version="1.0.0",
        contract_fingerprint="c" * 12,
        code_version="1",
        run_id="run",
        objects=(balance,),
        files=(),
        quarantine_files=(),
    )
    return Published(outcome, 1, at)


def of_all(*incidents: Incident, spends: tuple[Spend, ...] = (), outcomes: tuple[Published, ...] = ()) -> Health:
    return health(incidents, outcomes, spends, NOW, DAYS)[-1]


def test_where_nothing_happened_there_are_no_numbers_to_divide() -> None:
    (row,) = health((), (), (), NOW, DAYS)

    assert row == Health(
        dataset=None,
        incidents=0,
        open_now=0,
        escalated_now=0,
        resolved=0,
        healed=0,
        time_to_detect=None,
        time_to_resolve=None,
        retries=0,
        quarantined=0,
        healing_usd=0,
    )
    assert row.heal_rate is None


def test_each_dataset_of_which_anything_is_known_has_a_row_and_the_last_is_of_all() -> None:
    incidents = (INCIDENT, replace(INCIDENT, dataset="visits"), replace(INCIDENT, dataset="visits"))

    rows = health(incidents, (published(4, dataset="trips"),), (spend(2, dataset="fees"),), NOW, DAYS)

    assert [(row.dataset, row.incidents, row.quarantined, row.healing_usd) for row in rows] == [
        ("fees", 0, 0, 2),
        ("orders", 1, 0, 0),
        ("trips", 0, 4, 0),
        ("visits", 2, 0, 0),
        (None, 3, 4, 2),
    ]


def test_time_to_detect_runs_from_the_failed_try_to_its_detection() -> None:
    slow = replace(INCIDENT, opened_at=YESTERDAY - 4 * MINUTE)

    assert of_all(INCIDENT, slow).time_to_detect == Times(3 * MINUTE, 3 * MINUTE, timedelta(seconds=234))


def test_clocks_that_disagree_make_no_negative_time() -> None:
    early = replace(INCIDENT, opened_at=YESTERDAY + MINUTE)

    assert of_all(early).time_to_detect == Times(timedelta(), timedelta(), timedelta())


def test_time_to_resolve_runs_from_detection_and_one_disaster_moves_the_mean_but_not_the_median() -> None:
    times = of_all(*(resolved(MINUTE) for _ in range(19)), resolved(21 * MINUTE)).time_to_resolve

    assert times == Times(2 * MINUTE, MINUTE, 2 * MINUTE)


def test_an_open_incident_has_no_time_to_resolve() -> None:
    row = of_all(INCIDENT)

    assert row.time_to_resolve is None
    assert row.time_to_detect is not None
    assert (row.open_now, row.resolved) == (1, 0)


def test_what_was_resolved_in_the_time_counts_although_it_began_before() -> None:
    row = of_all(resolved(20 * DAY, detected_at=BEFORE))

    assert (row.incidents, row.resolved) == (0, 1)
    assert row.time_to_detect is None
    assert row.time_to_resolve == Times(20 * DAY, 20 * DAY, 20 * DAY)


def test_what_is_over_for_longer_is_not_counted() -> None:
    row = of_all(
        resolved(HOUR, detected_at=BEFORE),
        replace(resolved(HOUR, detected_at=BEFORE), remedies=(remedy(RemedyKind.RETRY_LATER, BEFORE),)),
        spends=(spend(1, BEFORE),),
        outcomes=(published(5, BEFORE),),
    )

    assert (row.incidents, row.resolved, row.retries, row.healing_usd, row.quarantined) == (0, 0, 0, 0, 0)


def test_an_old_incident_that_is_still_open_is_open_now() -> None:
    old = replace(INCIDENT, opened_at=BEFORE, detected_at=BEFORE)

    assert (of_all(old).incidents, of_all(old).open_now) == (0, 1)


@pytest.mark.parametrize(
    ("incidents", "rate"),
    [
        pytest.param((resolved(HOUR), resolved(HOUR), resolved(HOUR, "ann"), resolved(HOUR)), 0.75, id="a person once"),
        pytest.param((INCIDENT,), None, id="not yet decided"),
        pytest.param((resolved(HOUR), INCIDENT), 1.0, id="open ones may still heal"),
        pytest.param(
            (resolved(HOUR), replace(INCIDENT, remedies=(remedy(RemedyKind.ESCALATE),))),
            0.5,
            id="one that waits for a person did not",
        ),
        pytest.param((resolved(HOUR, "ann"),), 0.0, id="never"),
    ],
)
def test_heal_rate_is_the_share_that_needed_no_person(incidents: tuple[Incident, ...], rate: float | None) -> None:
    assert of_all(*incidents).heal_rate == rate


def test_retries_are_remedies_of_that_kind() -> None:
    kinds = (RemedyKind.RETRY_LATER, RemedyKind.RETRY_LATER, RemedyKind.SERVE_LAST_GOOD, RemedyKind.ESCALATE)

    assert of_all(replace(INCIDENT, remedies=tuple(map(remedy, kinds)))).retries == 2


def test_only_what_is_settled_for_healing_was_spent_on_it() -> None:
    spends = (spend(1), spend(0.5), spend(None), spend(7, purpose=Purpose.BUILD))

    assert of_all(spends=spends).healing_usd == 1.5


RETRIED = replace(
    resolved(3 * HOUR),
    remedies=(
        remedy(RemedyKind.RETRY_LATER, YESTERDAY),
        remedy(RemedyKind.RETRY_LATER, YESTERDAY + HOUR),
        remedy(RemedyKind.ESCALATE, YESTERDAY + 2 * HOUR),
    ),
)


def costs(incident: Incident, *spends: Spend) -> list[float | None]:
    (priced,) = with_costs([incident], spends)
    return [item.usd for item in priced.remedies]


def test_to_a_retry_belongs_what_its_partition_spent_until_the_next_remedy() -> None:
    spends = (
        spend(1, YESTERDAY + MINUTE),
        spend(2, YESTERDAY + 2 * MINUTE),
        spend(4, YESTERDAY + HOUR),
        spend(8, YESTERDAY + 2 * HOUR),
    )

    assert costs(RETRIED, *spends) == [3, 4, None]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(spend(1, YESTERDAY - MINUTE), id="before it"),
        pytest.param(spend(1, partition="2026-11-04"), id="of another partition"),
        pytest.param(spend(1, dataset="visits"), id="of another dataset"),
        pytest.param(spend(1, purpose=Purpose.BUILD), id="not for healing"),
        pytest.param(spend(None), id="still reserved"),
    ],
)
def test_to_a_retry_does_not_belong_a_spend(other: Spend) -> None:
    assert costs(RETRIED, other) == [None, None, None]


def test_after_its_resolution_nothing_belongs_to_an_incident() -> None:
    once = replace(RETRIED, remedies=RETRIED.remedies[:1])

    assert costs(once, spend(1, YESTERDAY + 3 * HOUR)) == [None]
    assert costs(replace(once, resolved_at=None), spend(1, YESTERDAY + 3 * HOUR)) == [1]


def test_a_cost_that_is_known_stays() -> None:
    known = replace(RETRIED, remedies=(replace(RETRIED.remedies[0], usd=0.125),))

    assert costs(known, spend(1)) == [0.125]
