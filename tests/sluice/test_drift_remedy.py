from __future__ import annotations

import pytest

from sluice.contract import Shim
from sluice.contract_file.proposed import base_of, digest_of, propose, without_head
from sluice.datatypes import Boolean, DataType, Date, Double, Integer, Json, Text, Timestamp
from sluice.drift import Drift
from sluice.drift_kind import DriftKind
from sluice.drift_remedy import amendment_for, converts
from sluice.inference.fields import SeenField, SeenObject

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
servers: [{type: local, path: "orders/date={date}/*", format: jsonl}]
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, required: true}
      - {name: amount, logicalType: number, required: true} # in euros
"""


def drift(kind: DriftKind, field: str, **more: object) -> Drift:
    return Drift(kind, field, ("a",), 10, 10, **more)  # type: ignore[arg-type]  # keywords of Drift


def test_each_kind_of_drift_has_its_remedy() -> None:
    amendment = amendment_for(
        [
            drift(DriftKind.UNKNOWN, "channel", seen_type=Text()),
            drift(DriftKind.UNKNOWN, "total", seen_type=Double(), may_be="amount"),
            drift(DriftKind.MISSING, "amount", may_be="total"),
            drift(DriftKind.RETYPED, "at", seen_type=Integer(), declared_type=Timestamp()),
        ]
    )

    assert [column.name for column in amendment.columns] == ["channel"]
    assert amendment.shims == {"amount": Shim(("total",)), "at": Shim(cast=True)}


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(drift(DriftKind.MISSING, "amount"), id="missing"),
        pytest.param(drift(DriftKind.RETYPED, "amount", seen_type=Text(), declared_type=Double()), id="retyped"),
    ],
)
def test_what_only_a_person_can_decide_is_a_comment(found: Drift) -> None:
    amendment = amendment_for([found])

    assert not amendment.changes_rows
    assert amendment.remarks["amount"][0].startswith("CHOOSE: ")


@pytest.mark.parametrize(
    ("seen", "declared", "expected"),
    [
        pytest.param(Integer(), Timestamp(), True, id="seconds"),
        pytest.param(Integer(), Timestamp(format="%Y%m%d"), False, id="a format decides itself"),
        pytest.param(Integer(), Boolean(), True, id="0 and 1"),
        pytest.param(Json(), Text(), True, id="JSON as text"),
        pytest.param(Text(), Integer(), False, id="words as numbers"),
        pytest.param(Timestamp(), Date(), False, id="moments as dates"),
    ],
)
def test_a_cast_is_proposed_where_it_is_likely_to_help(seen: DataType, declared: DataType, expected: bool) -> None:  # noqa: FBT001
    assert converts(seen, declared) is expected


def seen(**types: DataType) -> list[SeenObject]:
    return [SeenObject("a", 10, {name: SeenField(kind, 10) for name, kind in types.items()})]


def test_a_proposal_names_the_contract_it_is_for_and_keeps_its_comments() -> None:
    proposal = propose(CONTRACT, seen(id=Integer(), total=Double()), None, path="c")

    assert base_of(proposal.text) == digest_of(CONTRACT)
    shim = "customProperties: [{property: sluice, value: {also_called: [total]}}]"
    assert without_head(proposal.text) == CONTRACT.replace("1.0.0", "1.1.0").replace(
        "      - {name: amount, logicalType: number, required: true} # in euros",
        "      # called total in 100.0% of the records looked at\n"
        f"      - {{name: amount, logicalType: number, required: true, {shim}}} # in euros",
    )


def test_a_proposal_goes_on_from_an_earlier_one_for_the_same_contract() -> None:
    first = propose(CONTRACT, seen(id=Integer(), amount=Double(), channel=Text()), None, path="c")
    second = propose(CONTRACT, seen(id=Integer(), amount=Double(), tip=Double()), None, path="c", earlier=first.text)
    other = propose(CONTRACT + "# changed\n", seen(id=Integer(), amount=Double()), None, path="c", earlier=first.text)

    assert "name: channel" in second.text
    assert "name: tip" in second.text
    assert "version: 1.1.0" in second.text
    assert "channel" not in other.text


def test_the_head_of_an_accepted_proposal_does_not_count() -> None:
    assert digest_of(propose(CONTRACT, [], None, path="c").text) == digest_of(CONTRACT.replace("1.0.0", "1.1.0"))
