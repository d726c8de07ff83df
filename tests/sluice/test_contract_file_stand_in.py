"""What may stand in, and what is refused at its line (marked `# <-`)."""

from __future__ import annotations

import pytest

from sluice.contract_file import read_contract
from sluice.errors import ContractProblems
from sluice.healing.policy import StandIn

SLA = 'slaProperties: [{property: timeOfAvailability, value: "07:00"}]\n'
SERVER = 'servers:\n  - {type: local, path: "orders/date={date}/*.jsonl", format: jsonl}\n'


def text_of(*lines: str, sla: str = SLA, server: str = SERVER) -> str:
    head = f"apiVersion: v3.2.0\nkind: DataContract\nid: orders\nversion: 1.0.0\n{server}{sla}"
    schema = "schema:\n  - name: orders\n    properties:\n      - {name: id, logicalType: integer}\n"
    healing = "customProperties:\n  - property: sluice\n    value:\n      healing:\n"
    return head + schema + healing + "".join(f"        {line}\n" for line in lines)


def test_another_folder_may_stand_in() -> None:
    contract = read_contract(text_of('stand_in: {path: "backup/orders/{date:YYYY/MM/dd}/*"}'), path="contract.yaml")

    assert contract.healing.stand_in == StandIn("backup/orders/{date:YYYY/MM/dd}/*")


@pytest.mark.parametrize(
    ("text", "sql", "said"),
    [
        pytest.param(text_of("stand_in: previous_partition  # <-", sla=""), None, "promises none", id="no promise"),
        pytest.param(
            text_of("stand_in: previous_partition  # <-", server=""), "select id from a", "transform.sql", id="derived"
        ),
        pytest.param(
            text_of('stand_in: {path: "orders/backup/{date}/*"}  # <-'), None, "own files land", id="below its own"
        ),
        pytest.param(text_of('stand_in: {path: "backup/*.jsonl"}  # <-'), None, "has no date", id="no date"),
        pytest.param(text_of('stand_in: {path: "s3://b/{date}/*"}  # <-'), None, "is a URL", id="a URL"),
    ],
)
def test_what_cannot_stand_in_is_refused_at_its_line(text: str, sql: str | None, said: str) -> None:
    with pytest.raises(ContractProblems) as refused:
        read_contract(text, path="contract.yaml", transform_sql=sql)

    (problem,) = refused.value.problems
    assert problem.line == text[: text.index("# <-")].count("\n") + 1
    assert said in str(problem)
