"""An incident as a ticket, with what a person can do and which datasets it reaches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from sluice.contract import Contract, FileFormat, Source
from sluice.healing.downstream import downstream
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident, RemedyKind, RemedyTaken
from sluice.healing.next_steps import next_steps
from sluice.healing.state import IncidentState, state_of
from sluice.healing.ticket import ticket

NOON = datetime(2026, 11, 4, 12, 0, 0, 250, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RETRY = RemedyTaken(RemedyKind.RETRY_LATER, NOON + MINUTE, "Retry 1 of 8.", run_id="run-1", usd=0.25)
ESCALATE = RemedyTaken(RemedyKind.ESCALATE, NOON + 9 * MINUTE, "A person has to look: no.", run_id="run-2", usd=1)

INCIDENT = Incident(
    number=7,
    dataset="orders",
    partition="2026-11-03",
    version="f-c-1",
    failure_class=FailureClass.SINK_UNAVAILABLE,
    opened_at=NOON - timedelta(seconds=40),
    detected_at=NOON,
    evidence="Connection refused: catalog:8181",
    run_id="run-1",
    remedies=(RETRY, ESCALATE),
    downstream=("revenue", "dashboard"),
)
RESOLVED = replace(INCIDENT, resolved_at=NOON + 90 * MINUTE, resolved_by="ann")


def table_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


def test_a_ticket_says_everything_about_an_incident() -> None:
    assert ticket(INCIDENT) == (
        "# Incident 7: orders 2026-11-03 (sink_unavailable)\n"
        "\n"
        "| what | value |\n"
        "| --- | --- |\n"
        "| state | escalated |\n"
        "| class | sink\\_unavailable |\n"
        "| opened | 2026-11-04 11:59:20 UTC |\n"
        "| detected | 2026-11-04 12:00 UTC, after 40 s |\n"
        "| cost | 1.25 USD of remedies |\n"
        "| downstream | revenue, dashboard |\n"
        "| run | run-1 |\n"
        "| version | f-c-1 |\n"
        "\n"
        "## What happened\n"
        "\n"
        "```text\n"
        "Connection refused: catalog:8181\n"
        "```\n"
        "\n"
        "## What was done\n"
        "\n"
        "| when | remedy | note | run | USD |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| 2026-11-04 12:01 UTC | retry later | Retry 1 of 8. | run-1 | 0.25 |\n"
        "| 2026-11-04 12:09 UTC | escalate | A person has to look: no. | run-2 | 1.00 |\n"
        "\n"
        "## What a person can do\n"
        "\n"
        "1. Check that catalog, object store and ledger can be reached; what is staged is kept.\n"
        "2. To try again now: sluice run\n"
    )


def test_a_resolved_one_says_who_and_how_fast_and_asks_nothing() -> None:
    text = ticket(RESOLVED)

    assert "| resolved | 2026-11-04 13:30 UTC, after 1 h 30 min |\n| resolved by | ann |" in text
    assert "What a person can do" not in text


def test_what_is_not_known_is_left_out() -> None:
    text = ticket(replace(INCIDENT, remedies=(replace(RETRY, usd=None, run_id=None),), downstream=()))

    assert "| cost |" not in text
    assert "| downstream |" not in text
    assert "| 2026-11-04 12:01 UTC | retry later | Retry 1 of 8. |  |  |" in text


def test_before_the_first_remedy_it_says_so() -> None:
    assert "## What was done\n\nNo remedy was taken.\n" in ticket(replace(INCIDENT, remedies=()))


def test_evidence_stays_as_it_is_inside_its_fence() -> None:
    text = ticket(replace(INCIDENT, evidence="before\n```\n# no heading\n````\nafter\n"))

    assert "`````text\nbefore\n```\n# no heading\n````\nafter\n`````\n" in text


def test_a_note_cannot_break_the_table() -> None:
    text = ticket(replace(INCIDENT, remedies=(replace(RETRY, note="a | b\n<b>*x*</b>"),)))

    assert table_lines(text)[-1].split(" | ", 2)[2] == "a \\| b \\<b\\>\\*x\\*\\</b\\> | run-1 | 0.25 |"


@pytest.mark.parametrize(
    ("incident", "state"),
    [
        pytest.param(replace(INCIDENT, remedies=()), IncidentState.OPEN, id="nothing was done"),
        pytest.param(replace(INCIDENT, remedies=(RETRY,)), IncidentState.OPEN, id="it is retried"),
        pytest.param(INCIDENT, IncidentState.ESCALATED, id="the last word is escalate"),
        pytest.param(
            replace(INCIDENT, remedies=(ESCALATE, replace(RETRY, taken_at=NOON + 10 * MINUTE))),
            IncidentState.OPEN,
            id="it is retried after an escalation",
        ),
        pytest.param(RESOLVED, IncidentState.RESOLVED, id="an escalation is over with its incident"),
    ],
)
def test_the_state_is_what_was_decided_last(incident: Incident, state: IncidentState) -> None:
    assert state_of(incident) is state


@pytest.mark.parametrize("failure_class", FailureClass)
def test_every_class_has_something_that_a_person_can_do(failure_class: FailureClass) -> None:
    steps = next_steps(replace(INCIDENT, failure_class=failure_class))

    assert steps
    assert "{" not in "".join(steps)


def test_a_gate_is_accepted_with_a_command_that_can_be_pasted() -> None:
    incident = replace(INCIDENT, failure_class=FailureClass.QUALITY)

    steps = next_steps(incident, ("row_count_is_expected",))

    assert steps[0] == "See what every gate said: sluice gates orders 2026-11-03"
    assert steps[-1] == "Or accept it: sluice accept orders 2026-11-03 row_count_is_expected --why REASON"


def test_after_a_rewind_files_are_corrected_not_looked_for_in_quarantine() -> None:
    rewind = RemedyTaken(RemedyKind.REWIND, NOON + MINUTE)

    steps = next_steps(replace(INCIDENT, failure_class=FailureClass.QUALITY, remedies=(rewind,)))

    assert steps[0].startswith("Land corrected files: sluice land orders FILE --date 2026-11-03 --replace")
    assert "docs/rewind.md" in steps[1]
    assert len(steps) == 2


def contract(dataset: str, sql: str | None = None) -> Contract:
    if sql is not None:
        return Contract(dataset, "1.0.0", (), transform_sql=sql)
    source = Source(f"{dataset}/date={{date}}/*.jsonl", FileFormat.JSONL)
    return Contract(dataset, "1.0.0", (), source=source, start=date(2026, 11, 1))


CONTRACTS = {
    item.dataset: item
    for item in (
        contract("all_days", "select * from revenue"),
        contract("customers"),
        contract("orders"),
        contract("people", "select * from customers"),
        contract("revenue", "select * from orders join people using (id)"),
    )
}


@pytest.mark.parametrize(
    ("dataset", "reached"),
    [
        pytest.param("orders", ("revenue", "all_days"), id="over two steps"),
        pytest.param("customers", ("people", "revenue", "all_days"), id="over three, in build order"),
        pytest.param("people", ("revenue", "all_days"), id="not what it reads itself"),
        pytest.param("all_days", (), id="nothing reads it"),
        pytest.param("gone", (), id="no longer declared"),
    ],
)
def test_downstream_is_all_that_is_derived_from_a_dataset(dataset: str, reached: tuple[str, ...]) -> None:
    assert downstream(CONTRACTS, dataset) == reached
