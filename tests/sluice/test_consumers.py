"""Who reads published tables: read from contracts, told where a table is about to change."""

from __future__ import annotations

import pytest

from sluice.consumers import consumers_of
from sluice.contract import Consumer, Contract
from sluice.contract_file import read_contract
from sluice.errors import ContractProblems

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
servers:
  - {type: local, path: "orders/{date}/*", format: jsonl}
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer}
customProperties:
  - property: sluice
    value:
"""
FINANCE = '{name: Finance, contact: finance@example.com, use: "month-end closing"}'


def contract(consumers: str) -> Contract:
    return read_contract(f"{CONTRACT}      consumers: {consumers}\n", path="contract.yaml")


def test_consumers_are_read_and_do_not_make_another_version() -> None:
    read = contract(f"[{FINANCE}, {{name: Planning}}]")

    assert read.consumers == (
        Consumer("Finance", "finance@example.com", "month-end closing"),
        Consumer("Planning"),
    )
    assert read.fingerprint == contract("[{name: Others}]").fingerprint


def test_they_are_told_by_dataset() -> None:
    contracts = {"orders": contract(f"[{FINANCE}, {{name: Planning}}]")}

    told = [str(item) for item in consumers_of(contracts, ("gone", "orders"))]

    assert told == [
        "Finance (finance@example.com) reads orders for month-end closing",
        "Planning reads orders",
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        pytest.param("Finance", "must be a list of consumers", id="no list"),
        pytest.param("[]", "must be a list of consumers", id="empty"),
        pytest.param("[Finance]", "must hold fields of its own", id="only a name"),
        pytest.param("[{contact: a@example.com}]", "name: is missing", id="no name"),
        pytest.param("[{name: 7}]", "must be text", id="a number"),
        pytest.param("[{name: A, contct: x}]", 'Did you mean "contact"?', id="unknown field"),
        pytest.param("[{name: A}, {name: A}]", 'names "A" twice', id="twice"),
    ],
)
def test_what_names_nobody_is_refused(written: str, said: str) -> None:
    with pytest.raises(ContractProblems) as refused:
        contract(written)

    assert said in str(refused.value)
