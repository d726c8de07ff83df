from __future__ import annotations

import pytest

from sluice.contract import Shim
from sluice.contract_file import read_contract
from sluice.contract_file.proposal import amended
from sluice.datatypes import Decimal, Field, Integer, ListOf, Struct, Text
from sluice.drift_remedy import Amendment
from sluice.errors import ContractInvalid
from sluice.inference.contract_text import InferredColumn

CONTRACT = """\
# Orders.
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.2.7 # raise it
servers:
  - {type: local, path: "orders/date={date}/*.jsonl", format: jsonl}
schema:
  - name: orders
    properties:
      - name: order_id
        logicalType: integer
        required: true # always
      # the last one
      - {name: note, logicalType: string}

    quality:
      - {type: text, description: nothing}
# the end
"""


def with_columns(text: str, columns: list[InferredColumn], *, version: str, path: str) -> str:
    return amended(text, Amendment(tuple(columns), {}, {}), version=version, path=path)


CHANNEL = InferredColumn("channel", Text(), remarks=("in 75.0 % of the records looked at",))


def test_a_proposal_adds_its_columns_after_the_last_one_and_changes_nothing_else() -> None:
    proposed = with_columns(CONTRACT, [CHANNEL], version="1.3.0", path="contract.yaml")

    added = "      # in 75.0 % of the records looked at\n      - name: channel\n        logicalType: string\n"
    last = "      - {name: note, logicalType: string}\n"
    assert proposed == CONTRACT.replace("1.2.7", "1.3.0").replace(last, last + added)


def test_what_is_proposed_is_a_contract_with_nullable_columns() -> None:
    nested = InferredColumn("lines", ListOf(Struct((Field("sku", Text()), Field("price", Decimal(9, 2))))))

    contract = read_contract(
        with_columns(CONTRACT, [CHANNEL, nested, InferredColumn("n", Integer())], version="1.3.0", path="c"), path="c"
    )

    assert [column.name for column in contract.columns] == ["order_id", "note", "channel", "lines", "n"]
    assert contract.column("lines").type == nested.type
    assert not any(contract.column(name).required for name in ("channel", "lines", "n"))
    assert contract.version == "1.3.0"


@pytest.mark.parametrize(
    "ending", [pytest.param("", id="no more lines"), pytest.param("\n\n", id="blank lines at the end")]
)
def test_the_columns_may_be_the_last_thing_in_the_file(ending: str) -> None:
    head = CONTRACT.partition("\n    quality:")[0].rstrip("\n")

    proposed = with_columns(head + ending, [CHANNEL], version="1.3.0", path="c")

    assert [column.name for column in read_contract(proposed, path="c").columns] == ["order_id", "note", "channel"]


def test_a_quoted_version_stays_quoted() -> None:
    quoted = CONTRACT.replace("1.2.7", '"1.2"')

    assert 'version: "1.2-next" # raise it' in with_columns(quoted, [CHANNEL], version="1.2-next", path="c")


SHIM = Shim(("remark", "old note"), cast=True)
SETTING = 'also_called: [remark, "old note"], cast: true'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "{name: note, logicalType: string}",
            f"{{name: note, logicalType: string, customProperties: [{{property: sluice, value: {{{SETTING}}}}}]}}",
            id="in braces",
        ),
        pytest.param(
            "name: note\n        logicalType: string # text\n",
            "name: note\n        logicalType: string # text\n"
            f"        customProperties: [{{property: sluice, value: {{{SETTING}}}}}]\n",
            id="below each other",
        ),
        pytest.param(
            "{name: note, logicalType: string, customProperties: [{property: other, value: 1}]}",
            "{name: note, logicalType: string, customProperties: [{property: other, value: 1}, "
            f"{{property: sluice, value: {{{SETTING}}}}}]}}",
            id="beside another tool's",
        ),
        pytest.param(
            "{name: note, logicalType: string, customProperties: [{property: sluice, value: {also_called: [n]}}]}",
            "{name: note, logicalType: string, customProperties: [{property: sluice, value: "
            '{also_called: [n, remark, "old note"], cast: true}}]}',
            id="more names",
        ),
        pytest.param(
            "{name: note, logicalType: string, customProperties: [{property: sluice, value: {also_called: old}}]}",
            "{name: note, logicalType: string, customProperties: [{property: sluice, value: "
            '{also_called: [old, remark, "old note"], cast: true}}]}',
            id="one name before",
        ),
        pytest.param(
            "name: note\n        logicalType: string\n        customProperties:\n          - property: sluice\n"
            "            value:\n              cast: false\n              also_called:\n                - n # old\n",
            "name: note\n        logicalType: string\n        customProperties:\n          - property: sluice\n"
            "            value:\n              cast: true\n              also_called:\n                - n # old\n"
            '                - remark\n                - "old note"\n',
            id="all below each other",
        ),
    ],
)
def test_a_shim_is_added_where_the_property_is_written(before: str, after: str) -> None:
    declared = CONTRACT.replace("{name: note, logicalType: string}\n", before.rstrip("\n") + "\n")

    proposed = amended(declared, Amendment((), {"note": SHIM}, {"note": ("seen",)}), version="1.2.7", path="c")

    assert proposed == declared.replace(f"      - {before}", f"      # seen\n      - {after}")
    shim = read_contract(proposed, path="c").column("note").shim
    assert shim.cast
    assert shim.also_called[-2:] == SHIM.also_called


def test_columns_in_one_line_are_left_to_a_person() -> None:
    head, _, _ = CONTRACT.partition("      - name: order_id")
    flow = head.rstrip().removesuffix("properties:") + "properties: [{name: order_id, logicalType: integer}]\n"

    with pytest.raises(ContractInvalid, match="add the columns by hand"):
        with_columns(flow, [CHANNEL], version="1.3.0", path="c")
