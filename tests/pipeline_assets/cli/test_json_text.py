from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_assets.cli.json_text import escaped, json_array, json_text, plain_text

PLUS_TWO = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "null", id="null"),
        pytest.param(True, "true", id="boolean"),
        pytest.param(2**63, "9223372036854775808", id="integer keeps every digit"),
        pytest.param(Decimal("123456789012345678.10"), "123456789012345678.10", id="decimal keeps every digit"),
        pytest.param(Decimal("1E+3"), "1000", id="decimal has no exponent"),
        pytest.param(0.1, "0.1", id="double"),
        pytest.param(float("nan"), '"nan"', id="nan is text"),
        pytest.param(float("-inf"), '"-inf"', id="infinity is text"),
        pytest.param('a"\n\u00e9', '"a\\"\\n\u00e9"', id="text"),
        pytest.param(date(2026, 11, 1), '"2026-11-01"', id="date"),
        pytest.param(datetime(2026, 11, 1, 9, tzinfo=PLUS_TWO), '"2026-11-01T07:00:00Z"', id="instant in UTC"),
        pytest.param(datetime(2026, 11, 1, 9, 0, 0, 5, tzinfo=UTC), '"2026-11-01T09:00:00.000005Z"', id="microseconds"),
        pytest.param(datetime(2026, 11, 1, 9), '"2026-11-01T09:00:00"', id="no zone"),  # noqa: DTZ001
        pytest.param(time(9, 30), '"09:30:00"', id="time of day"),
        pytest.param(b"a\xff\n", '"a\\\\xff\\\\n"', id="bytes"),
        pytest.param({"a": [1, {"b": None}]}, '{"a": [1, {"b": null}]}', id="nested"),
    ],
)
def test_every_kind_of_value_has_one_spelling(value: object, text: str) -> None:
    assert json_text(value) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    assert json.loads(json_text(value)) == value


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        pytest.param([], "[]", id="none"),
        pytest.param([{"a": 1}, {"a": 2}], '[\n  {"a": 1},\n  {"a": 2}\n]', id="one row a line"),
    ],
)
def test_rows_are_an_array_with_one_row_a_line(rows: list[dict[str, object]], text: str) -> None:
    assert json_array(rows) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "", id="no value is empty"),
        pytest.param("a\nb", "a\nb", id="text is itself"),
        pytest.param(True, "true", id="boolean"),
        pytest.param([Decimal("1.50")], "[1.50]", id="list is JSON"),
        pytest.param(Decimal("1.50"), "1.50", id="decimal"),
        pytest.param(0.1, "0.1", id="double"),
    ],
)
def test_a_field_of_a_table_shows_the_value_itself(value: object, text: str) -> None:
    assert plain_text(value) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param(b'{"a": 1}', '{"a": 1}', id="plain"),
        pytest.param("caf\u00e9".encode(), "caf\u00e9", id="valid UTF-8"),
        pytest.param(b"\xc3\x28\x00\x1b[31m", "\\xc3(\\x00\\x1b[31m", id="no byte reaches the terminal raw"),
    ],
)
def test_original_bytes_are_shown_as_harmless_text(raw: bytes, text: str) -> None:
    assert escaped(raw) == text
