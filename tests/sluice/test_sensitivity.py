"""What catalogs are told of who may see a column."""

from __future__ import annotations

import json

import pytest

from sluice.contract import Column, Contract
from sluice.datatypes import Text
from sluice.sensitivity import column_labels, table_labels


@pytest.mark.parametrize(
    ("column", "labels"),
    [
        pytest.param(Column("a", Text()), {}, id="nothing"),
        pytest.param(
            Column("a", Text(), classification="Personal"), {"classification": "Personal", "pii": "true"}, id="personal"
        ),
        pytest.param(
            Column("a", Text(), classification="restricted"), {"classification": "restricted"}, id="restricted"
        ),
        pytest.param(Column("a", Text(), tags=("x", "PII")), {"tags": "x, PII", "pii": "true"}, id="tag"),
        pytest.param(
            Column("a", Text(), classification="internal", member_classifications=("personal",)),
            {"classification": "internal, personal", "pii": "true"},
            id="member",
        ),
    ],
)
def test_a_column_says_what_it_is(column: Column, labels: dict[str, str]) -> None:
    assert column_labels(column) == labels


def test_a_table_is_as_personal_as_its_columns() -> None:
    columns = (Column("a", Text(), classification="personal"), Column("b", Text()), Column("c", Text(), tags=("x",)))

    labels = table_labels(Contract("people", "1.0.0", columns, domain="sales", tags=("crm", "eu")))

    assert labels == {
        "sluice.domain": "sales",
        "sluice.tags": "crm, eu",
        "sluice.classifications": "personal",
        "sluice.pii": "true",
        "sluice.columns": json.dumps({"a": {"classification": "personal", "pii": "true"}, "c": {"tags": "x"}}),
    }


def test_a_table_without_labels_says_so_in_the_same_places() -> None:
    labelled = table_labels(Contract("a", "1.0.0", (Column("a", Text(), classification="personal"),), tags=("x",)))
    bare = table_labels(Contract("a", "1.0.0", (Column("a", Text()),)))

    assert bare.keys() == labelled.keys()
    assert bare["sluice.pii"] == "false"
