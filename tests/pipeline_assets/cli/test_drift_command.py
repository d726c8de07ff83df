"""Files that have grown apart from their contract, through the real command: run, drift, the proposed contract, run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline_assets.cli.conftest import Command

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
      - {name: fare, logicalType: number}
customProperties:
  - property: sluice
    value: {unknown_fields: reject, gates: {rejected_share_is_acceptable: {severity: warn}}}
"""


def lines(*records: dict[str, object]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def grown(sluice: Command, tmp_path: Path) -> Command:
    """One object as declared, one with a further field; the second is rejected."""
    (sluice.datasets / "trips").mkdir()
    (sluice.datasets / "trips/contract.yaml").write_text(CONTRACT)
    (tmp_path / "2026-11-03-a.jsonl").write_text(lines({"trip_id": 1, "fare": 2.5}))
    (tmp_path / "2026-11-03-b.jsonl").write_text(
        lines(*({"trip_id": n, "fare": 1.5, "channel": "web"} for n in range(10, 13)))
    )
    assert sluice("land", "trips", tmp_path / "2026-11-03-a.jsonl", tmp_path / "2026-11-03-b.jsonl").exit_code == 0
    assert sluice("run").exit_code == 0
    return sluice


def test_an_unknown_field_is_shown_with_its_objects_and_share(grown: Command) -> None:
    (found,) = grown.rows("drift", "trips")

    assert (found["drift"], found["field"], found["seen_type"]) == ("unknown", "channel", "varchar")
    assert (found["records"], found["share"]) == (3, 0.75)
    assert [key.rpartition("/")[2] for key in found["objects"]] == ["2026-11-03-b.jsonl"]
    assert "channel" in grown("drift", "trips").stdout


def test_the_proposed_contract_takes_the_rejected_records_in(grown: Command) -> None:
    assert grown.rows("status")[0]["quarantined"] == 3

    written = grown("drift", "trips", "--write")
    folder = grown.datasets / "trips"
    proposed = folder / "contract.proposed.yaml"
    assert written.exit_code == 0
    assert "version 1.1.0 with 1 further column" in written.stdout
    assert grown("contracts", "check").exit_code == 0
    proposed.replace(folder / "contract.yaml")

    assert grown("run").exit_code == 0
    (status,) = grown.rows("status")
    assert (status["published"], status["quarantined"]) == (4, 0)
    assert grown.rows("query", "select trip_id, channel from trips order by trip_id")[-1]["channel"] == "web"
    assert "files and contract agree" in grown("drift", "trips").stdout


def test_a_retyped_column_is_shown_with_what_the_files_hold(grown: Command, tmp_path: Path) -> None:
    (tmp_path / "2026-11-04.jsonl").write_text(lines({"trip_id": 1, "fare": "cheap"}, {"trip_id": 2, "fare": "dear"}))
    assert grown("land", "trips", tmp_path / "2026-11-04.jsonl").exit_code == 0
    assert grown("run").exit_code == 0

    (found,) = grown.rows("drift", "trips")

    assert (found["drift"], found["field"]) == ("retyped", "fare")
    assert (found["contract_type"], found["seen_type"], found["share"]) == ("double", "varchar", 1.0)
    assert "have it sent as before" in grown("drift", "trips").stdout.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("trip",), "Did you mean", id="no dataset"),
        pytest.param(("trips", "--date", "2026-11-09"), "nothing has been noticed", id="no files on that date"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(grown: Command, arguments: tuple[str, ...], said: str) -> None:
    refused = grown("drift", *arguments)

    assert refused.exit_code == 2
    assert said in refused.stderr
