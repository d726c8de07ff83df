"""CSV samples: how they are written, and what their fields are."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isal import igzip

from sluice.contract import CsvDialect
from sluice.datatypes import Boolean, DataType, Date, Decimal, Double, Integer, Text, Timestamp
from sluice.errors import SampleRefused

if TYPE_CHECKING:
    from tests.sluice.inference.conftest import Build, Infer

DIALECTS: dict[str, tuple[bytes, CsvDialect, int]] = {
    "comma": (b"id,city\n1,Berlin\n2,Paris\n", CsvDialect(), 2),
    "semicolon, decimal comma": (b"id;price\n1;2,50\n2;3,75\n", CsvDialect(";"), 2),
    "tab": (b"id\tcity\n1\tBerlin, Mitte\n2\tParis\n", CsvDialect("\t"), 2),
    "bar": (b"id|city\n1|Berlin\n2|Paris\n", CsvDialect("|"), 2),
    "one column": (b"city\nBerlin\nParis\n", CsvDialect(), 2),
    "quotes around delimiters": (b'id,city\n1,"Berlin, Mitte"\n2,"a ""b"" c"\n', CsvDialect(), 2),
    "quotes around line breaks": (b'id,note\n1,"two\nlines"\n2,"three\r\nmore\nlines"\n', CsvDialect(), 2),
    "single quotes": (b"'id','city'\n'1','Berlin, Mitte'\n'2','Paris'\n", CsvDialect(",", "'"), 2),
    "quotes that mean inches": (b'id,size\n1,5" pipe\n2,7" pipe\n', CsvDialect(",", None), 2),
    "no header": (b"1,Berlin,2.5\n2,Paris,3.5\n", CsvDialect(header=False), 2),
    "no header, values come again": (b"Berlin,DE\nParis,FR\nBerlin,DE\nParis,FR\n", CsvDialect(header=False), 4),
    "header above text only": (b"city,country\nBerlin,DE\nParis,FR\n", CsvDialect(), 2),
    "header only names the rest": (b",id,city\n0,7,Berlin\n1,8,Paris\n", CsvDialect(), 2),
    "CRLF and a byte order mark": (b"\xef\xbb\xbfid,city\r\n1,Berlin\r\n2,Paris\r\n", CsvDialect(), 2),
    "UTF-8": ("id,city\n1,Köln\n2,東京\n".encode(), CsvDialect(), 2),
    "Windows": ("id,city\n1,Köln\n2,Łódź €\n".encode("cp1250"), CsvDialect(encoding="cp1252"), 2),
    "Latin-1 with bytes that Windows has not": (b"id,city\n1,K\xf6ln\n2,\x81\n", CsvDialect(encoding="iso8859-1"), 2),
    "UTF-16": ("id,city\n1,Köln\n2,Łódź\n".encode("utf-16"), CsvDialect(encoding="utf-16"), 2),
    "UTF-16 without a mark": ("id,city\n1,Koln\n2,Lodz\n".encode("utf-16-le"), CsvDialect(encoding="utf-16-le"), 2),
    "a spaced header": (b"Order ID,Total (EUR)\n1,2.5\n2,3.5\n", CsvDialect(), 2),
}


@pytest.mark.parametrize(("body", "dialect", "records"), DIALECTS.values(), ids=DIALECTS.keys())
def test_dialect_is_recognised_and_reads_every_record(
    infer: Infer, build: Build, body: bytes, dialect: CsvDialect, records: int
) -> None:
    inferred = infer("things", a__csv=body)

    built = build(inferred, body)

    assert inferred.contract.source is not None
    assert inferred.contract.source.csv == dialect
    assert (built.records_published, built.reasons) == (records, ())


TYPES: dict[str, tuple[str, list[str], DataType]] = {
    "whole numbers": ("n", ["1", "", "-3"], Integer()),
    "whole numbers among spaces": ("n", [" 1", "2 "], Integer()),
    "leading zeros": ("n", ["00123", "00456"], Text()),
    "plus signs": ("n", ["+49", "+33"], Text()),
    "postcodes without leading zeros": ("zip", ["10115", "20095"], Text()),
    "fractions": ("n", ["1.5", "2"], Double()),
    "money": ("total_amount", ["1.50", "2.25"] * 10, Decimal(18, 4)),
    "booleans": ("b", ["true", "False", "TRUE"], Boolean()),
    "zero and one": ("b", ["0", "1"], Integer()),
    "dates": ("d", ["2026-11-01", ""], Date()),
    "instants without a zone": ("t", ["2018-05-30 18:28:14"], Timestamp("Etc/UTC")),
    "nothing": ("v", ["", ""], Text()),
    "JSON": ("v", ['"{""a"":1}"', '"{}"'], Text()),
}


@pytest.mark.parametrize(("name", "values", "expected"), TYPES.values(), ids=TYPES.keys())
def test_type_holds_all_fields(infer: Infer, build: Build, name: str, values: list[str], expected: DataType) -> None:
    body = "".join([f"{name},other\n", *(f"{value},x\n" for value in values)]).encode()

    inferred = infer("things", a__csv=body)
    built = build(inferred, body)

    assert inferred.contract.column(name).type == expected
    assert built.records_published == len(values)


def test_files_with_other_columns_in_another_order_are_one_dataset(infer: Infer, build: Build) -> None:
    first, second = b"id,city\n1,Berlin\n", b"country,id\nFR,2\n"

    inferred = infer("things", a__csv=first, b__csv=second)

    assert [column.name for column in inferred.contract.columns] == ["id", "city", "country"]
    assert build(inferred, first, second).records_published == 2


@pytest.mark.parametrize("compress", [igzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_compression_is_told_by_content(infer: Infer, build: Build, compress: object) -> None:
    body = compress(b"id,city\n1,Berlin\n")  # type: ignore[operator]

    assert build(infer("things", a__csv=body), body).records_published == 1


def test_ragged_records_do_not_count_and_are_told(infer: Infer) -> None:
    inferred = infer("things", a__csv=b"id,city\n1,Berlin\n2\nx,y,z\n3,Paris\n")

    assert inferred.contract.column("id").type == Integer()
    assert "2 more cannot be read as records and will be quarantined." in inferred.notes


def test_truncated_file_is_told_and_its_records_count(infer: Infer) -> None:
    whole = igzip.compress("".join(["id,city\n", *(f"{n},{n * 7919}\n" for n in range(50_000))]).encode())

    inferred = infer("things", a__csv__gz=whole[: len(whole) // 2])

    assert inferred.contract.column("id").type == Integer()
    assert any(note.startswith("a.csv.gz cannot be read to its end") for note in inferred.notes)


def test_header_that_doubles_a_name_is_refused(infer: Infer) -> None:
    with pytest.raises(SampleRefused, match="names id twice"):
        infer("things", a__csv=b"id,id,n\na,b,1\n")


FIELDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff"), max_size=6)
VALUES = st.one_of(FIELDS, st.integers().map(str), st.floats().map(str), st.dates().map(str), st.just(""))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(st.tuples(st.integers(0, 99), VALUES, VALUES), min_size=3, max_size=8),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_every_record_of_a_written_file_passes(
    infer: Infer, build: Build, rows: list[tuple[int, str, str]], delimiter: str, quoting: Any
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows([("n", "a", "b"), *rows])
    body = text.getvalue().encode()

    built = build(infer("things", a__csv=body), body)

    assert (built.records_published, built.reasons) == (len(rows), ())
