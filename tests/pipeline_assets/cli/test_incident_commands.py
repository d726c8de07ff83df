"""`sluice incidents` and `sluice health`: what went wrong, for people and for programs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from resources.settings import Settings
from resources.sql_ledger import SqlLedger
from sluice.cost.budget import Estimate, Limits, Purpose, Request, SpendState
from sluice.gates.verdict import Severity, Verdict
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident, RemedyKind, RemedyTaken
from sluice.judged import Judged
from sluice.version import Version

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline_assets.cli.conftest import Command

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
DETECTED = NOW - 60 * MINUTE
DAY = "2026-11-03"
VERSION = str(Version("f" * 16, "c" * 12, "1"))

LANDED = """\
apiVersion: v3.2.0
kind: DataContract
id: sales
version: 1.0.0
servers:
  - {type: local, path: "sales/{date}/*", format: jsonl}
schema:
  - name: sales
    properties:
      - {name: id, logicalType: integer}
"""
AT_LEAST_TWO = """\
customProperties:
  - property: sluice
    value: {gates: {row_count_is_expected: {minimum: 2}}}
"""
DERIVED = """\
apiVersion: v3.2.0
kind: DataContract
id: takings
version: 1.0.0
schema:
  - name: takings
    properties:
      - {name: id, logicalType: integer}
"""


def incident(partition: str = DAY, dataset: str = "sales") -> Incident:
    return Incident(
        number=0,
        dataset=dataset,
        partition=partition,
        version=VERSION,
        failure_class=FailureClass.SINK_UNAVAILABLE,
        opened_at=DETECTED - MINUTE,
        detected_at=DETECTED,
        evidence="Connection refused: [catalog] on port 8181",
        run_id="run-1",
    )


def ledger_of(sluice: Command) -> SqlLedger:
    sluice.home.mkdir(exist_ok=True)
    return SqlLedger(Settings(sluice.home, ()).ledger_url)


def pay(ledger: SqlLedger, usd: float, at: datetime) -> None:
    request = Request("sales", DAY, VERSION, "run-2", "2026-11", Purpose.HEALING, Estimate(1, 1, 1, usd))
    ledger.reserve(request, Limits(), at)
    ledger.settle(request, SpendState.FAILED, seconds=1, usd=usd, settled_at=at)


@pytest.fixture
def shop(sluice: Command) -> Command:
    """Incident 1 is open and for a person, after a retry that cost 0.25; incident 2 healed; takings reads sales."""
    for name, text in (("sales", LANDED), ("takings", DERIVED)):
        (sluice.datasets / name).mkdir()
        (sluice.datasets / name / "contract.yaml").write_text(text)
    (sluice.datasets / "takings/transform.sql").write_text("select id from sales")
    ledger = ledger_of(sluice)
    number = ledger.open_incident(incident()).number
    ledger.note_remedy(number, RemedyTaken(RemedyKind.RETRY_LATER, DETECTED, "Retry 1 of 8.", run_id="run-1"))
    pay(ledger, 0.25, DETECTED + MINUTE)
    ledger.note_remedy(number, RemedyTaken(RemedyKind.ESCALATE, DETECTED + 2 * MINUTE, "A person has to look."))
    ledger.open_incident(incident("2026-11-04"))
    ledger.resolve_incidents("sales", "2026-11-04", DETECTED + 5 * MINUTE, "sluice")
    return sluice


def test_what_is_open_is_listed_and_what_is_resolved_only_with_all(shop: Command) -> None:
    assert [(row["number"], row["state"]) for row in shop.rows("incidents")] == [(1, "escalated")]
    every = [(row["number"], row["state"]) for row in shop.rows("incidents", "--all")]
    assert every == [(1, "escalated"), (2, "resolved")]


def test_json_has_everything_the_ledger_knows(shop: Command) -> None:
    (row,) = shop.rows("incidents")

    assert row == {
        "number": 1,
        "dataset": "sales",
        "partition": DAY,
        "version": VERSION,
        "class": "sink_unavailable",
        "state": "escalated",
        "opened_at": (DETECTED - MINUTE).isoformat(),
        "detected_at": DETECTED.isoformat(),
        "resolved_at": None,
        "resolved_by": None,
        "evidence": "Connection refused: [catalog] on port 8181",
        "run_id": "run-1",
        "downstream": ["takings"],
        "remedies": [
            {
                "kind": "retry_later",
                "taken_at": DETECTED.isoformat(),
                "note": "Retry 1 of 8.",
                "run_id": "run-1",
                "usd": 0.25,
            },
            {
                "kind": "escalate",
                "taken_at": (DETECTED + 2 * MINUTE).isoformat(),
                "note": "A person has to look.",
                "run_id": None,
                "usd": None,
            },
        ],
    }
    assert shop.rows("incidents", "show", 1) == [row]


def test_the_list_fits_in_a_pipe_and_says_how_to_see_more(shop: Command) -> None:
    result = shop("incidents", "--all")

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert "[catalog]" in result.stdout
    last = result.stdout.splitlines()[-1]
    assert last == "1 incident open, 1 of them for a person. Everything about one: sluice incidents show 1"


def test_a_long_story_is_cut_in_the_list_only(shop: Command) -> None:
    ledger_of(shop).open_incident(replace(incident(), evidence="x" * 2_000))

    assert shop("incidents").stdout.count("x") < 200
    assert shop("incidents", "show", 1).stdout.count("x") >= 2_000


def test_one_dataset_at_a_time(shop: Command) -> None:
    ledger_of(shop).open_incident(incident(dataset="takings"))

    assert [row["dataset"] for row in shop.rows("incidents", "--dataset", "takings")] == ["takings"]


def test_incidents_of_a_dataset_that_is_no_longer_declared_can_be_read(shop: Command) -> None:
    number = ledger_of(shop).open_incident(incident(dataset="gone")).number

    assert [row["number"] for row in shop.rows("incidents", "--dataset", "gone")] == [number]
    assert shop("incidents", "show", number).exit_code == 0


def test_a_dataset_that_nobody_knows_is_refused(shop: Command) -> None:
    result = shop("incidents", "--dataset", "sale")

    assert result.exit_code == 2
    assert 'Did you mean "sales"?' in result.stderr


def test_a_broken_contract_hides_no_incident(shop: Command) -> None:
    (shop.datasets / "takings/contract.yaml").write_text("id: [")

    result = shop("incidents", "show", 1)

    assert result.exit_code == 0
    assert "Connection refused" in result.stdout
    assert result.stderr.startswith("Which datasets are affected cannot be told: 1 problem in a contract:")


def test_where_nothing_is_open_it_says_so(sluice: Command) -> None:
    assert sluice("incidents").stdout == "No incident is open. Resolved ones: sluice incidents --all\n"
    assert sluice("incidents", "--all").stdout == "Nothing has gone wrong.\n"
    assert sluice.rows("incidents") == []


def test_one_incident_is_shown_with_remedies_costs_and_what_a_person_can_do(shop: Command) -> None:
    result = shop("incidents", "show", 1)

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert result.stdout.startswith(f"Incident 1: sales {DAY}\n  state       escalated\n")
    assert "\n  downstream  takings\n" in result.stdout
    assert "Retry 1 of 8." in result.stdout
    assert "0.25" in result.stdout
    assert result.stdout.endswith("- To try again now: sluice run\n")


def test_a_ticket_is_markdown_and_nothing_else(shop: Command) -> None:
    text = shop("incidents", "show", 1, "--markdown").stdout

    assert text.startswith(f"# Incident 1: sales {DAY} (sink_unavailable)\n\n| what | value |\n")
    assert "| retry later | Retry 1 of 8. | run-1 | 0.25 |\n" in text
    assert text.endswith("2. To try again now: sluice run\n")


def test_a_resolved_one_asks_nothing_of_anybody(shop: Command) -> None:
    shown = shop("incidents", "show", 2).stdout

    assert ", after 5 min\n  resolved by sluice\n" in shown
    assert "What you can do" not in shown


@pytest.mark.parametrize("number", ["9", "0", "-1", "one"])
def test_a_number_that_no_incident_has_is_refused(shop: Command, number: str) -> None:
    result = shop("incidents", "show", "--", number)

    assert result.exit_code == 2
    assert result.stdout == ""


def test_the_refusal_says_where_the_numbers_are(shop: Command) -> None:
    refused = " ".join(shop("incidents", "show", 9).stderr.replace("│", " ").split())

    assert "there is no incident 9; see: sluice incidents --all" in refused


@pytest.mark.parametrize(
    ("gate", "version", "is_offered"),
    [
        pytest.param("row_count_is_expected", VERSION, True, id="of this version"),
        pytest.param("row_count_is_expected", str(Version("e" * 16, "c" * 12, "1")), False, id="of another version"),
        pytest.param("records_are_conserved", VERSION, False, id="nobody may accept it"),
    ],
)
def test_to_accept_is_offered_where_a_person_may(shop: Command, gate: str, version: str, *, is_offered: bool) -> None:
    verdict = Verdict(holds=False, explanation="1 row.", numbers={})
    ledger_of(shop).record_verdicts([Judged("sales", DAY, version, gate, "r", Severity.BLOCK, verdict, "run-1", NOW)])

    shown = shop("incidents", "show", 1).stdout

    assert (f"- Or accept it: sluice accept sales {DAY} {gate} --why REASON\n" in shown) is is_offered


def test_a_blocked_partition_is_an_incident_until_a_person_accepts_it(sluice: Command, tmp_path: Path) -> None:
    (sluice.datasets / "sales").mkdir()
    (sluice.datasets / "sales/contract.yaml").write_text(LANDED + AT_LEAST_TWO)
    (tmp_path / f"{DAY}.jsonl").write_text('{"id": 1}\n')
    assert sluice("land", "sales", tmp_path / f"{DAY}.jsonl").exit_code == 0
    assert sluice("run").exit_code == 1
    (opened,) = sluice.rows("incidents")
    accept = f"sluice accept sales {DAY} row_count_is_expected --why REASON"
    assert accept in sluice("incidents", "show", opened["number"]).stdout

    assert sluice(*accept.split()[1:], "--by", "ann").exit_code == 0
    assert sluice("run").exit_code == 0

    assert sluice.rows("incidents") == []
    (resolved,) = sluice.rows("incidents", "--all")
    assert (resolved["number"], resolved["class"], resolved["resolved_by"]) == (opened["number"], "quality", "ann")
    assert [row["heal_rate"] for row in sluice.rows("health")] == [0, 0]


def test_health_is_counted_by_dataset_and_in_all(shop: Command) -> None:
    rows = shop.rows("health")

    assert [row["dataset"] for row in rows] == ["sales", None]
    assert rows[0] == rows[1] | {"dataset": "sales"}
    assert rows[1] == {
        "dataset": None,
        "days": 30,
        "incidents": 2,
        "open": 1,
        "escalated": 1,
        "resolved": 1,
        "healed": 1,
        "heal_rate": 0.5,
        "detect_seconds_mean": 60.0,
        "detect_seconds_median": 60.0,
        "detect_seconds_p95": 60.0,
        "resolve_seconds_mean": 300.0,
        "resolve_seconds_median": 300.0,
        "resolve_seconds_p95": 300.0,
        "retries": 1,
        "quarantined": 0,
        "healing_usd": 0.25,
    }


def test_no_time_at_all_is_zero_and_not_unknown(sluice: Command) -> None:
    ledger_of(sluice).open_incident(replace(incident(), opened_at=DETECTED))

    (row, _) = sluice.rows("health")

    assert row["detect_seconds_median"] == 0
    assert row["resolve_seconds_median"] is None
    assert row["heal_rate"] is None


def test_health_fits_in_a_pipe(shop: Command) -> None:
    result = shop("health")

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert "50 %" in result.stdout
    assert result.stdout.splitlines()[-3].split()[:2] == ["all", "2"]


def test_health_of_a_new_home_is_zeros(sluice: Command) -> None:
    assert [(row["dataset"], row["incidents"]) for row in sluice.rows("health")] == [(None, 0)]


def test_days_says_how_far_health_looks_back(shop: Command) -> None:
    old = replace(incident("2026-11-05"), opened_at=NOW - 50 * 60 * MINUTE, detected_at=NOW - 49 * 60 * MINUTE)
    ledger_of(shop).open_incident(old)

    assert [row["incidents"] for row in shop.rows("health", "--days", 2)] == [2, 2]
    assert [row["incidents"] for row in shop.rows("health", "--days", 3)] == [3, 3]


@pytest.mark.parametrize("days", ["0", "-1", "often"])
def test_days_that_make_no_time_are_refused(sluice: Command, days: str) -> None:
    assert sluice("health", "--days", days).exit_code == 2
