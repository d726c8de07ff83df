"""Documents become records with their own bytes; what is no document is unreadable as a whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.errors import RawObjectUnreadable
from sluice.reading.json_document import MAX_DOCUMENT_BYTES, read_json_document
from sluice.reading.tally import ReadCount, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable


def read(document: str | bytes, path: str = "") -> tuple[list[tuple[int, str]], Tally]:
    data = document.encode() if isinstance(document, str) else document
    return read_chunks([data], path)


def read_chunks(chunks: Iterable[bytes], path: str = "") -> tuple[list[tuple[int, str]], Tally]:
    tally = Tally(counts={0: ReadCount()})
    rows = [
        (row["line_no"], row["line"])
        for batch in read_json_document(0, chunks, path, tally, "key")
        for row in batch.to_pylist()
    ]
    return rows, tally


@pytest.mark.parametrize(
    ("document", "path", "records"),
    [
        pytest.param('[{"a": 1},{"a":2}]', "", ['{"a": 1}', '{"a":2}'], id="list"),
        pytest.param(' [\n  {"a": 1} ,\n\t{"a":\n2}\n] \n', "", ['{"a": 1}', '{"a":\n2}'], id="spaces and lines"),
        pytest.param('{"items": [{"a": [1, {"b": 2}]}], "next": null}', "items", ['{"a": [1, {"b": 2}]}'], id="member"),
        pytest.param(
            '{"x": {"items": [0]}, "data": {"n": [9], "items": [{"a": 1}]}}', "data.items", ['{"a": 1}'], id="deeper"
        ),
        pytest.param(
            r'[{"a": "],[{}:\"\\"}, {"b": "\\\\\""}]', "", [r'{"a": "],[{}:\"\\"}', r'{"b": "\\\\\""}'], id="quotes"
        ),
        pytest.param(r'{"\u0069tems": [{"a":1}]}', "items", ['{"a":1}'], id="a name with escapes"),
        pytest.param('[1, "x", null, [2], {"a": 1}]', "", ["1", '"x"', "null", "[2]", '{"a": 1}'], id="no objects"),
        pytest.param("[]", "", [], id="empty list"),
        pytest.param('{"items": [ \n ]}', "items", [], id="empty member"),
        pytest.param("", "items", [], id="no bytes"),
        pytest.param("\n", "", [], id="a blank line"),
        pytest.param('[{"a": "ü😀"}]', "", ['{"a": "ü😀"}'], id="more than ASCII"),
    ],
)
def test_items_are_records_with_their_own_bytes(document: str, path: str, records: list[str]) -> None:
    rows, tally = read(document, path)

    assert rows == list(enumerate(records, start=1))
    assert tally.counts[0].records == len(records)


@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=5), st.recursive(st.text() | st.integers() | st.none(), st.lists, max_leaves=5)
        )
    ),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_every_document_comes_apart_into_its_items(items: list[object], ascii_only: bool, indent: int | None) -> None:  # noqa: FBT001
    document = {"before": items, "items": items}

    rows, _ = read(json.dumps(document, ensure_ascii=ascii_only, indent=indent), "items")

    assert [json.loads(line) for _, line in rows] == items


def test_pieces_make_no_difference() -> None:
    data = b'[{"a": 1}, {"b": "\xc3\xbc"}]'

    assert read_chunks(data[place : place + 1] for place in range(len(data)))[0] == read(data)[0]


@pytest.mark.parametrize(
    ("document", "refused"),
    [
        pytest.param('[{"a": 1}, {"a": NaN}]', '{"a": NaN}', id="no number"),
        pytest.param('[{"a": 1}, {"a": "\\ud800"}]', '{"a": "\\ud800"}', id="half a character"),
    ],
)
def test_what_one_record_holds_is_refused_with_it_alone(document: str, refused: str) -> None:
    rows, tally = read(document)

    assert rows == [(1, '{"a": 1}')]
    assert [(item.line_no, item.raw.decode(), item.code) for item in tally.rejected] == [(2, refused, "malformed_json")]


@pytest.mark.parametrize(
    ("document", "path", "code"),
    [
        pytest.param('[{"a": 1}', "", "malformed_json", id="cut off"),
        pytest.param('[{"a": 1},]', "", "malformed_json", id="a comma too many"),
        pytest.param('[{"a": 1}][]', "", "malformed_json", id="more than one"),
        pytest.param('{"a": 1}\n{"a": 2}', "", "malformed_json", id="lines"),
        pytest.param("<html>", "", "malformed_json", id="no JSON"),
        pytest.param(b'[{"a": "\xff"}]', "", "malformed_json", id="no UTF-8"),
        pytest.param("[" * 100_000, "", "malformed_json", id="too deep"),
        pytest.param('{"a": 1}', "", "no_records", id="an object"),
        pytest.param('"items"', "", "no_records", id="a text"),
        pytest.param("7", "items", "no_records", id="a number"),
        pytest.param('{"itemz": []}', "items", "no_records", id="another name"),
        pytest.param('{"items": {"0": []}}', "items", "no_records", id="no list"),
        pytest.param('{"items": 7, "b": []}', "items", "no_records", id="the list of another"),
        pytest.param('{"items": [1], "items": [2]}', "items", "no_records", id="twice"),
        pytest.param('[{"items": []}]', "items", "no_records", id="a list around"),
        pytest.param('{"data": []}', "data.items", "no_records", id="a list on the way"),
    ],
)
def test_what_is_no_document_is_unreadable(document: str | bytes, path: str, code: str) -> None:
    with pytest.raises(RawObjectUnreadable) as refused:
        read(document, path)

    assert refused.value.code == code


def test_a_document_may_not_fill_the_memory() -> None:
    with pytest.raises(RawObjectUnreadable) as refused:
        read_chunks(b" " * (1 << 20) for _ in range(MAX_DOCUMENT_BYTES // (1 << 20) + 1))

    assert refused.value.code == "document_too_large"
