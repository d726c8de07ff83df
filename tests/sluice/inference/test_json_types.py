"""The type inferred for one field of JSON Lines, from values of every kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sluice.datatypes import (
    Boolean,
    DataType,
    Date,
    Decimal,
    Double,
    Field,
    Integer,
    Json,
    ListOf,
    Struct,
    Text,
    Timestamp,
)

if TYPE_CHECKING:
    from tests.sluice.inference.conftest import Build, Infer, Lines

UTC_GUESS = Timestamp("Etc/UTC")
CASES: dict[str, tuple[str, list[str], DataType]] = {
    "whole numbers": ("n", ["1", "-2", "9223372036854775807"], Integer()),
    "whole numbers beyond 64 bits": ("n", ["1", "9223372036854775808"], Text()),
    "fractions": ("n", ["1", "2.5", "1e-3"], Double()),
    "whole numbers written as fractions": ("n", ["1.0", "2.0"], Double()),
    "numbers that no double holds": ("n", ["1", "1e999"], Text()),
    "money with cents": ("amount", ["12.5", "3.25"] * 10, Decimal(18, 4)),
    "money, too few to tell from rounded doubles": ("amount", ["12.5", "3.25"], Double()),
    "money that is whole so far": ("price", ["12", "3"], Decimal(18, 4)),
    "cents are counted": ("amount_cents", ["1250", "325"], Integer()),
    "always three places": ("reading", ["12.500", "3.250"] * 10, Decimal(18, 5)),
    "doubles with many places": ("amount", ["14.300000000000001", "3.25"] * 10, Double()),
    "digits in quotes": ("n", ['"1"', '"2"'], Text()),
    "booleans": ("b", ["true", "false"], Boolean()),
    "words for booleans": ("b", ['"true"', '"no"'], Text()),
    "dates": ("d", ['"2026-11-01"', '"2024-02-29"'], Date()),
    "dates that do not exist": ("d", ['"2026-11-01"', '"2026-02-30"'], Text()),
    "dates in another format": ("d", ['"31/12/2026"'], Text()),
    "instants": ("t", ['"2026-11-01T10:00:00Z"', '"2026-11-01 10:00:00.123456+05:30"'], Timestamp()),
    "instants without a zone": ("t", ['"2026-11-01T10:00:00"'], UTC_GUESS),
    "instants with and without": ("t", ['"2026-11-01T10:00:00"', '"2026-11-01T10:00:00Z"'], UTC_GUESS),
    "nanoseconds": ("t", ['"2026-11-01T10:00:00.123456789Z"'], Text()),
    "dates and instants": ("t", ['"2026-11-01"', '"2026-11-01T10:00:00Z"'], Text()),
    "texts and numbers": ("v", ['"n/a"', "5", "true"], Text()),
    "texts and objects": ("v", ['"n/a"', '{"a": 1}'], Json()),
    "objects and lists": ("v", ['{"a": 1}', "[1]"], Json()),
    "nothing": ("v", ["null", "null"], Text()),
    "empty objects": ("v", ["{}"], Json()),
    "objects": (
        "o",
        ['{"a": 1, "b": "x"}', '{"a": 2, "b": null}'],
        Struct((Field("a", Integer()), Field("b", Text()))),
    ),
    "objects in objects": ("o", ['{"a": {"b": true}}'], Struct((Field("a", Struct((Field("b", Boolean()),))),))),
    "an optional member": (
        "o",
        ['{"a": 1, "b": 2, "c": 3}', '{"a": 1, "b": 2}'],
        Struct((Field("a", Integer()), Field("b", Integer()), Field("c", Integer()))),
    ),
    "objects without a common shape": ("o", ['{"a": 1}', '{"b": 1}', '{"c": 1}'], Json()),
    "members that differ only in case": ("o", ['{"a": 1, "A": 2}'], Json()),
    "members without a name": ("o", ['{"": 1, "a": 2}'], Json()),
    "a payload, however alike so few are": ("payload", ['{"a": 1}'] * 5, Json()),
    "a payload that is always alike": ("payload", ['{"a": 1}'] * 100, Struct((Field("a", Integer()),))),
    "lists": ("l", ["[1, 2]", "[]", "[null]"], ListOf(Integer())),
    "lists of mixed values": ("l", ['[1, "a"]'], ListOf(Text())),
    "lists of objects": ("l", ['[{"a": 1}]', '[{"a": 2}]'], ListOf(Struct((Field("a", Integer()),)))),
    "lists of lists": ("l", ["[[1.5], []]"], ListOf(ListOf(Double()))),
    "empty lists": ("l", ["[]"], Json()),
}


@pytest.mark.parametrize(("name", "values", "expected"), CASES.values(), ids=CASES.keys())
def test_type_holds_all_values(infer: Infer, build: Build, name: str, values: list[str], expected: DataType) -> None:
    body = "".join(f'{{"{name}": {value}}}\n' for value in values).encode()

    inferred = infer("things", a__jsonl=body)
    built = build(inferred, body)

    assert inferred.contract.column(name).type == expected
    assert built.objects[0].published == len(values)


def test_field_missing_at_first_is_a_column(infer: Infer, lines: Lines) -> None:
    inferred = infer("things", a__jsonl=lines([{"a": 1}, {"b": 2}]))

    assert [(column.name, column.type) for column in inferred.contract.columns] == [("a", Integer()), ("b", Integer())]


def test_map_with_a_thousand_keys_is_kept_as_json(infer: Infer, build: Build, lines: Lines) -> None:
    body = lines([{"scores": {f"user{number}": number}} for number in range(1_200)])

    inferred = infer("things", a__jsonl=body)

    assert inferred.contract.column("scores").type == Json()
    assert build(inferred, body).records_published == 1_200


def test_remark_in_a_struct_says_where(infer: Infer, lines: Lines) -> None:
    inferred = infer("things", a__jsonl=lines([{"shop": {"opened": "2026-11-01T10:00:00"}}]))

    assert "      # opened: no time zone in the values: Etc/UTC is a guess, confirm it\n" in inferred.contract_text


def test_numbers_keep_the_digits_they_were_written_with(infer: Infer, build: Build) -> None:
    body = b'{"n": 123456789012345678901234567890.10}\n{"n": "x"}\n'

    built = build(infer("things", a__jsonl=body), body)

    assert json.dumps(built.records_quarantined) == "0"


def test_half_a_surrogate_pair_is_broken(infer: Infer) -> None:
    inferred = infer("things", a__jsonl=b'{"a": "\\ud800"}\n{"a": "\\ud83d\\ude00"}\n')

    assert "1 more cannot be read as records and will be quarantined." in inferred.notes
