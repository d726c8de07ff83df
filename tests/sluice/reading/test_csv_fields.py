"""Fields in SQL mean what Python's csv module says they mean, in any dialect."""

from __future__ import annotations

import csv as python_csv
import io
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.contract import CsvDialect
from sluice.reading.csv_fields import field_texts, field_value, fields_expression
from tests.sluice.reading.reader import csv, read

if TYPE_CHECKING:
    from collections.abc import Iterator

DIALECTS = [
    CsvDialect(),
    CsvDialect(delimiter=";"),
    CsvDialect(delimiter="\t"),
    CsvDialect(delimiter="|", quote="'"),
    CsvDialect(delimiter="'"),
    CsvDialect(delimiter="^", quote="$"),
    CsvDialect(delimiter="]", quote="\\"),
    CsvDialect(delimiter=" ", quote="."),
    CsvDialect(delimiter="-", quote="["),
    CsvDialect(quote=None),
    CsvDialect(delimiter="|", quote=None),
]
NAMES = [f"{dialect.delimiter!r} {dialect.quote!r}" for dialect in DIALECTS]
TEXT = st.text(st.sampled_from("ab,;|'\"$\\] .-[^\t\né日") | st.characters(exclude_categories=["Cs"]), max_size=8)


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def in_sql(line: str, dialect: CsvDialect, duck: duckdb.DuckDBPyConnection) -> list[str | None]:
    """Return the values of one record, as a transform gets them: field by field, by position."""
    fields = fields_expression("line", dialect)
    values = f"SELECT {field_value('field', dialect)} FROM (SELECT unnest({fields}) AS field FROM (SELECT ? AS line))"
    return [value for (value,) in duck.execute(values, [line]).fetchall()]


def written(row: list[str], dialect: CsvDialect, *, all_quoted: bool) -> str:
    file = io.StringIO()
    python_csv.writer(
        file,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        quoting=python_csv.QUOTE_ALL if all_quoted else python_csv.QUOTE_MINIMAL,
        lineterminator="\r\n",
    ).writerow(row)
    return file.getvalue().removesuffix("\r\n")


@pytest.mark.parametrize(
    ("line", "values"),
    [
        pytest.param("1", ["1"], id="one field"),
        pytest.param("1,a", ["1", "a"], id="plain fields"),
        pytest.param(",", [None, None], id="empty fields are NULL"),
        pytest.param(",,a,,", [None, None, "a", None, None], id="empty fields anywhere"),
        pytest.param('""', [""], id="a quoted empty field is an empty text"),
        pytest.param('"",,""', ["", None, ""], id="quoted and plain empty fields"),
        pytest.param('"a,b",c', ["a,b", "c"], id="a delimiter in quotes"),
        pytest.param('"a""b"""', ['a"b"'], id="doubled quotes"),
        pytest.param('""""', ['"'], id="nothing but a quote"),
        pytest.param('"a\r\nb",', ["a\r\nb", None], id="a line end in quotes"),
        pytest.param(" a , b ", [" a ", " b "], id="spaces are kept"),
        pytest.param('1,"é日😀",x', ["1", "é日😀", "x"], id="text beyond ASCII"),
        pytest.param("NULL,\\N,null", ["NULL", "\\N", "null"], id="no word means NULL"),
    ],
)
def test_fields_mean(line: str, values: list[str | None], duck: duckdb.DuckDBPyConnection) -> None:
    assert in_sql(line, CsvDialect(), duck) == values
    assert field_texts(line, CsvDialect()) == tuple(value or "" for value in values)


@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect.quote], ids=NAMES[:-2])
@given(row=st.lists(TEXT, min_size=1, max_size=5), all_quoted=st.booleans())
@settings(max_examples=30, deadline=None)
def test_what_python_writes_is_read_as_it_was(
    dialect: CsvDialect, row: list[str], duck: duckdb.DuckDBPyConnection, *, all_quoted: bool
) -> None:
    line = written(row, dialect, all_quoted=all_quoted)

    found = read(line.encode() + b"\n", csv(delimiter=dialect.delimiter, quote=dialect.quote, header=False))

    assert found.lines == [line]
    assert [value or "" for value in in_sql(line, dialect, duck)] == row
    assert field_texts(line, dialect) == tuple(row)


@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect.quote is None], ids=NAMES[-2:])
@given(line=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1))
@settings(max_examples=30, deadline=None)
def test_without_quotes_a_line_is_only_split(dialect: CsvDialect, line: str, duck: duckdb.DuckDBPyConnection) -> None:
    assert [value or "" for value in in_sql(line, dialect, duck)] == line.split(dialect.delimiter)
    assert field_texts(line, dialect) == tuple(line.split(dialect.delimiter))
