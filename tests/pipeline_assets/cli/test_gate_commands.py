"""A partition that a gate blocks, through the real command: run, gates, status, accept, run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline_assets.cli.conftest import Command

DAY = "2026-11-03"
GATE = "row_count_is_expected"
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: trips
version: 1.0.0
servers:
  - {type: local, path: "trips/date={date}/*.jsonl", format: jsonl}
schema:
  - name: trips
    properties:
      - {name: trip_id, logicalType: integer, required: true, primaryKey: true}
customProperties:
  - property: sluice
    value:
      gates:
        row_count_is_expected: {minimum: 2}
"""


@pytest.fixture
def blocked(sluice: Command, tmp_path: Path) -> Command:
    """One row where at least two are expected, and a neighbour with two."""
    (sluice.datasets / "trips").mkdir()
    (sluice.datasets / "trips/contract.yaml").write_text(CONTRACT)
    for day, text in ((DAY, '{"trip_id": 1}\n'), ("2026-11-04", '{"trip_id": 1}\n{"trip_id": 2}\n')):
        (tmp_path / f"{day}.jsonl").write_text(text)
        assert sluice("land", "trips", tmp_path / f"{day}.jsonl").exit_code == 0
    assert sluice("run").exit_code == 1
    return sluice


def test_what_blocks_is_told_by_run_status_and_gates(blocked: Command) -> None:
    (run,) = [item for item in blocked.rows("status") if item["partition"] == DAY]
    (gate,) = blocked.rows("gates")

    assert run["state"] == "blocked"
    assert run["error"] == "row_count_is_expected does not hold: 1 row; at least 2 were expected."
    assert (gate["dataset"], gate["partition"], gate["gate"], gate["state"]) == ("trips", DAY, GATE, "blocks")
    assert gate["threshold_from"] == "contract"
    shown = blocked("gates").stdout
    assert "1 partition blocked" in shown
    assert f"sluice accept trips {DAY} {GATE} --why REASON" in shown


def test_every_verdict_on_a_partition_is_shown_in_the_order_it_was_judged(blocked: Command) -> None:
    verdicts = blocked.rows("gates", "trips", "2026-11-04")

    names = [item["gate"] for item in verdicts]
    assert names[:2] == ["breaker_is_closed", "raw_objects_exist"]
    assert names.index("estimated_cost_is_within_budget") < names.index("records_are_conserved") < names.index(GATE)
    assert {item["state"] for item in verdicts} == {"holds"}


def test_an_accepted_partition_is_pending_and_then_published(blocked: Command) -> None:
    accepted = blocked("accept", "trips", DAY, GATE, "--why", "a holiday", "--by", "ann")
    (waiting,) = [item for item in blocked.rows("status") if item["partition"] == DAY]

    assert accepted.exit_code == 0
    assert "by ann: a holiday" in accepted.stdout
    assert waiting["state"] == "pending"
    assert blocked("run").exit_code == 0
    assert {item["state"] for item in blocked.rows("status")} == {"published"}
    assert blocked.rows("gates") == []
    (kept,) = [item for item in blocked.rows("gates", "trips", DAY) if item["gate"] == GATE]
    assert kept["state"] == "accepted"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("trips", DAY, "row_count_is_expcted"), 'Did you mean "row_count_is_expected"?', id="no gate"),
        pytest.param(("trips", DAY, "raw_objects_exist"), "holds, so there is nothing to accept", id="it holds"),
        pytest.param(("trips", "2026-11-09", GATE), "has not been judged", id="no such partition"),
        pytest.param(("trip", DAY, GATE), 'Did you mean "trips"?', id="no dataset"),
    ],
)
def test_what_cannot_be_accepted_is_refused_with_the_cure(
    blocked: Command, arguments: tuple[str, ...], said: str
) -> None:
    refused = blocked("accept", *arguments, "--why", "so")

    assert refused.exit_code == 2
    assert said in refused.stderr.replace("\n", " ")


def test_an_acceptance_needs_a_reason(blocked: Command) -> None:
    assert blocked("accept", "trips", DAY, GATE, "--why", "  ").exit_code == 2
    assert blocked("accept", "trips", DAY, GATE).exit_code == 2
    assert [item["state"] for item in blocked.rows("gates")] == ["blocks"]


def test_gates_say_when_there_is_nothing_to_say(sluice: Command) -> None:
    assert "No gate keeps a partition out of its table." in sluice("gates").stdout
