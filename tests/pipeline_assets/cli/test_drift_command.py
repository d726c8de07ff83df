"""Files that have grown apart from their contract, through the real command: run, drift, the proposed contract, run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline_assets.cli.border import ExitCode
from sluice.contract_file.proposed import propose

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


@pytest.mark.long
def test_a_renamed_field_is_quarantined_mapped_accepted_and_published(sluice: Command, tmp_path: Path) -> None:
    folder = sluice.datasets / "trips"
    folder.mkdir()
    strict = CONTRACT.replace("unknown_fields: reject", "drift: quarantine").replace("1.0.0", "1.0.0 # raise it")
    (folder / "contract.yaml").write_text(strict)
    (tmp_path / "2026-11-03-a.jsonl").write_text(lines({"trip_id": 1, "fare": 2.5}))
    (tmp_path / "2026-11-03-b.jsonl").write_text(lines({"trip_id": 2, "fare_usd": 1.5}, {"trip_id": 3}))
    assert sluice("land", "trips", tmp_path / "2026-11-03-a.jsonl", tmp_path / "2026-11-03-b.jsonl").exit_code == 0
    assert sluice("run").exit_code == 0
    assert (sluice.rows("status")[0]["published"], sluice.rows("status")[0]["quarantined"]) == (1, 2)
    assert [item["class"] for item in sluice.rows("incidents")] == ["schema_drift"]

    assert "fare_usd may be fare" in sluice("drift", "trips", "--write").stdout
    accepted = sluice("drift", "trips", "--accept", "--yes")

    assert accepted.exit_code == 0
    assert "+version: 1.1.0" in accepted.stdout
    contract = (folder / "contract.yaml").read_text()
    shim = "customProperties: [{property: sluice, value: {also_called: [fare_usd]}}]"
    assert f"{{name: fare, logicalType: number, {shim}}}" in contract
    assert "version: 1.1.0 # raise it" in contract
    assert not (folder / "contract.proposed.yaml").exists()
    assert sluice("run").exit_code == 0
    (status,) = sluice.rows("status")
    assert (status["published"], status["quarantined"]) == (3, 0)
    assert sluice.rows("incidents") == []
    assert "files and contract agree" in sluice("drift", "trips").stdout


def test_accepting_shows_the_difference_and_asks(grown: Command) -> None:
    assert grown("drift", "trips", "--write").exit_code == 0
    contract = grown.datasets / "trips/contract.yaml"

    declined = grown("drift", "trips", "--accept", stdin="n\n")

    assert declined.exit_code == 1
    assert "+      - name: channel" in declined.stdout
    assert contract.read_text() == CONTRACT
    assert grown("drift", "trips", "--accept", stdin="y\n").exit_code == 0
    assert "channel" in contract.read_text()


@pytest.fixture
def proposed(sluice: Command) -> Path:
    """A contract, and one that is proposed for it."""
    path = sluice.datasets / "trips/contract.proposed.yaml"
    path.parent.mkdir()
    path.with_name("contract.yaml").write_text(CONTRACT)
    path.write_text(propose(CONTRACT, [], None, path="contract.yaml").text)
    return path


def test_a_contract_that_changed_since_is_not_replaced(sluice: Command, proposed: Path) -> None:
    contract = proposed.with_name("contract.yaml")
    changed = CONTRACT.replace("version: 1.0.0", "version: 1.0.1")
    contract.write_text(changed)

    refused = sluice("drift", "trips", "--accept", "--yes")

    assert refused.exit_code == ExitCode.CONTRACT
    assert "has changed since" in refused.stderr
    assert contract.read_text() == changed


def test_there_must_be_a_proposal_to_accept(sluice: Command, proposed: Path) -> None:
    proposed.unlink()

    refused = sluice("drift", "trips", "--accept", "--yes")

    assert refused.exit_code == ExitCode.CONTRACT
    assert "sluice drift trips --write" in refused.stderr


def test_a_proposal_that_was_put_in_place_by_a_killed_command_is_only_cleared_away(
    sluice: Command, proposed: Path
) -> None:
    contract = proposed.with_name("contract.yaml")
    contract.write_text(proposed.read_text().partition("\n")[2])

    assert sluice("drift", "trips", "--accept", "--yes").exit_code == 0
    assert "version: 1.1.0" in contract.read_text()
    assert not proposed.exists()


@pytest.mark.long
def test_a_run_writes_the_proposal_itself_where_the_contract_evolves(sluice: Command, tmp_path: Path) -> None:
    folder = sluice.datasets / "trips"
    folder.mkdir()
    (folder / "contract.yaml").write_text(CONTRACT.replace("unknown_fields: reject", "drift: evolve"))
    (tmp_path / "2026-11-03.jsonl").write_text(lines({"trip_id": 1, "fare": 2.5, "channel": "web"}))
    (tmp_path / "2026-11-04.jsonl").write_text(lines({"trip_id": 1, "fare": 2.5, "tip": 1}))
    assert sluice("land", "trips", tmp_path / "2026-11-03.jsonl", tmp_path / "2026-11-04.jsonl").exit_code == 0

    assert sluice("run").exit_code == 0

    assert [item["published"] for item in sluice.rows("status")] == [1, 1]
    assert len(sluice.rows("incidents")) == 2
    assert sluice("drift", "trips", "--accept", "--yes").exit_code == 0
    contract = (folder / "contract.yaml").read_text()
    assert "- name: channel" in contract
    assert "- name: tip" in contract
    assert "version: 1.1.0" in contract


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
