"""What a contract says to catalogs: a second table, classifications, tags."""

from __future__ import annotations

import pytest

from sluice.contract_file import read_contract
from sluice.errors import ContractProblems
from tests.sluice.test_contract_docs import EXAMPLE
from tests.sluice.test_contract_file_healing import with_healing as with_settings

NESTED = """
      - name: ship_to
        logicalType: object
        tags: [gdpr]
        properties:
          - {name: city, logicalType: string, classification: personal}
          - name: people
            logicalType: array
            items:
              logicalType: object
              properties:
                - {name: phone, logicalType: string, classification: restricted}
                - {name: mail, logicalType: string, classification: personal}
"""


def test_a_plain_table_is_asked_for_by_name() -> None:
    assert read_contract(with_settings("plain_table: true"), path="c").plain_table
    assert not read_contract(with_settings("start: 2026-11-01"), path="c").plain_table


def test_a_plain_table_is_a_yes_or_a_no() -> None:
    with pytest.raises(ContractProblems, match="plain_table"):
        read_contract(with_settings("plain_table: sometimes"), path="c")


def test_a_plain_table_changes_no_fingerprint() -> None:
    texts = (with_settings("plain_table: true"), with_settings("plain_table: false"))

    first, second = (read_contract(text, path="c").fingerprint for text in texts)

    assert first == second


def test_a_column_knows_what_is_nested_in_it() -> None:
    column = read_contract(EXAMPLE.rstrip() + NESTED, path="c").column("ship_to")

    assert column.member_classifications == ("personal", "restricted")
    assert column.tags == ("gdpr",)


def test_classifications_change_no_fingerprint() -> None:
    bare = NESTED.replace(", classification: personal", "").replace(", classification: restricted", "")

    first, second = (read_contract(EXAMPLE.rstrip() + text, path="c").fingerprint for text in (NESTED, bare))

    assert first == second
