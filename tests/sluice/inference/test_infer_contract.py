"""The whole of what `infer_contract` gives: a contract, a sample, notes, or a refusal with its cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sluice.contract import FIRST_DATE, FileFormat
from sluice.errors import ContractInvalid, SampleRefused
from sluice.inference import Limits, infer_contract

if TYPE_CHECKING:
    from tests.sluice.inference.conftest import Build, Infer, Lines

CSV = b"id,city\n1,Berlin\n"


@pytest.mark.parametrize(
    ("files", "file_format", "pattern"),
    [
        ({"a__jsonl": b'{"a":1}\n'}, FileFormat.JSONL, "things/date={date}/*.jsonl"),
        ({"2021-07-21-few-hours__json__gz": b'{"a":1}\n'}, FileFormat.JSONL, "things/date={date}/*.json.gz"),
        ({"a__CSV": CSV}, FileFormat.CSV, "things/date={date}/*.CSV"),
        ({"a__csv": CSV, "b__csv": CSV}, FileFormat.CSV, "things/date={date}/*.csv"),
        ({"a__csv": CSV, "b__csv__gz": CSV}, FileFormat.CSV, "things/date={date}/*"),
        ({"export": CSV}, FileFormat.CSV, "things/date={date}/*"),
        ({"export__v2": b'\xef\xbb\xbf {"a":1}'}, FileFormat.JSONL, "things/date={date}/*"),
        ({"a__csv": CSV, "empty__csv": b""}, FileFormat.CSV, "things/date={date}/*.csv"),
    ],
    ids=["jsonl", "json.gz", "capitals", "two", "two endings", "no ending", "a byte order mark", "an empty one"],
)
def test_location_takes_files_like_the_samples(
    infer: Infer, files: dict[str, bytes], file_format: FileFormat, pattern: str
) -> None:
    source = infer("things", **files).contract.source

    assert source is not None
    assert (source.format, source.pattern) == (file_format, pattern)


REFUSED: dict[str, tuple[dict[str, bytes], str]] = {
    "no file": ({}, "no sample file"),
    "an empty file": ({"a__csv": b""}, "no sample file that is not empty"),
    "two formats": (
        {"a__csv": CSV, "b__jsonl": b'{"a":1}'},
        "a.csv is csv, b.jsonl is jsonl. Make one dataset of each",
    ),
    "a JSON array": ({"a__json": b'[{"a":1}]'}, r"one JSON array.* jq -c '\.\[\]' a\.json"),
    "JSON over many lines": ({"a__json": b'{\n  "a": 1\n}\n'}, r"None of the 3 records .* jq -c \. FILE"),
    "no object": ({"a__jsonl": b"1\n2\n"}, "None of the 2 records"),
    "an archive": (
        {"a__csv": b"PK\x03\x04rest"},
        r"a\.csv cannot be read\. It is compressed with zip\. Send it uncompressed",
    ),
    "another format": ({"a__parquet": bytes(range(256)) * 9}, r"a\.parquet is neither text nor Parquet\. Export it"),
    "a damaged file": ({"a__csv__gz": b"\x1f\x8b\x08\x00rubbish"}, r"a\.csv\.gz cannot be read\."),
    "names that cannot be columns": ({"a__jsonl": b'{"": 1, "Partition_Date": 2}'}, "No field of the samples"),
}


@pytest.mark.parametrize(("files", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_samples_that_tell_nothing_are_refused_with_the_cure(
    infer: Infer, files: dict[str, bytes], message: str
) -> None:
    with pytest.raises(SampleRefused, match=message):
        infer("things", **files)


@pytest.mark.parametrize("name", ["Orders", "1st", "select", "web-orders", ""])
def test_name_that_no_dataset_can_have_is_refused(name: str) -> None:
    with pytest.raises(ContractInvalid, match="id: "):
        infer_contract(name, [])


def test_names_of_all_kinds_are_columns(infer: Infer, build: Build, lines: Lines) -> None:
    names = [
        "Order ID",
        "yes",
        "null",
        "a: b",
        "# no",
        "'x'",
        'say "hi"',
        "ümlaut",
        "back\\slash",
        "{date}",
        "1",
        "a.b",
    ]
    body = lines([dict.fromkeys(names, 1)])

    inferred = infer("things", a__jsonl=body)

    assert [column.name for column in inferred.contract.columns] == names
    assert build(inferred, body).records_published == 1


@pytest.mark.parametrize(
    ("record", "left_out"),
    [
        ({"a": 1, "partition_date": 2}, "partition_date"),
        ({"a": 1, "_sluice_line": 2}, "_sluice_line"),
        ({"a": 1, "A": None}, "A"),
        ({"a": 1, "x\n": 2}, "x\\n"),
    ],
    ids=["the partition", "a prefix", "case", "a line break"],
)
def test_names_that_cannot_be_columns_are_left_out_and_told(
    infer: Infer, build: Build, lines: Lines, record: dict[str, object], left_out: str
) -> None:
    inferred = infer("things", a__jsonl=lines([record]))

    assert [column.name for column in inferred.contract.columns] == ["a"]
    assert any(note.startswith(f'Left out "{left_out}"') for note in inferred.notes)
    assert build(inferred, lines([record])).records_published == 1


def test_member_called_like_a_column_makes_json(infer: Infer, build: Build, lines: Lines) -> None:
    body = lines([{"a": {"b": 1}, "a.b": 2}])

    assert build(infer("things", a__jsonl=body), body).records_published == 1


def test_more_columns_than_a_table_should_have_are_told(infer: Infer, lines: Lines) -> None:
    body = lines([{f"user{number}": number for number in range(12)}])

    inferred = infer("things", Limits(columns=10), a__jsonl=body)

    assert len(inferred.contract.columns) == 10
    assert "2 columns beyond 10 are left out: are records maps?" in inferred.notes


def test_sample_is_the_first_sound_records_as_they_are(infer: Infer, build: Build) -> None:
    records = [b'{"n": 1.50}', b"{broken", *(b'{"n": %d}' % n for n in range(30))]

    inferred = infer("things", a__jsonl=b"\n".join(records))

    assert inferred.sample_name == "sample.jsonl"
    assert inferred.sample.splitlines() == [records[0], *records[2:21]]
    assert build(inferred, inferred.sample).records_published == 20


@pytest.mark.parametrize(
    "body",
    [
        b'id;"the ""city"""\r\n1;"a\r\nb"\r\n2;Paris\r\n',
        "id\tcity\n1\tKöln\n".encode("utf-16"),
        b"1,Berlin,2.5\n2,Paris,3.5\n",
        b'id,size\n1,5" pipe\n2,7" pipe\n',
    ],
    ids=["quotes", "UTF-16", "no header", "no quotes"],
)
def test_csv_sample_is_written_as_the_files_are(infer: Infer, build: Build, body: bytes) -> None:
    inferred = infer("things", a__csv=body)

    assert inferred.sample_name == "sample.csv"
    assert build(inferred, inferred.sample).records_published == build(inferred, body).records_published > 0


def test_limit_is_shared_among_samples_and_told(infer: Infer, lines: Lines) -> None:
    first, second = lines([{"a": n} for n in range(100)]), lines([{"b": n} for n in range(100)])

    inferred = infer("things", Limits(records=20), first__jsonl=first, second__jsonl=second)

    assert [column.name for column in inferred.contract.columns] == ["a", "b"]
    assert inferred.notes[:2] == (
        "Looked at 20 records.",
        "Not looked at, because there is a limit: the rest of first.jsonl, second.jsonl.",
    )


def test_what_a_small_sample_leaves_is_for_the_next(infer: Infer, lines: Lines) -> None:
    small, large = lines([{"a": 1}] * 5), lines([{"a": 1}] * 100)

    inferred = infer("things", Limits(records=100), small__jsonl=small, large__jsonl=large)

    assert inferred.notes[0] == "Looked at 100 records."


def test_size_is_limited_too(infer: Infer, lines: Lines) -> None:
    inferred = infer("things", Limits(size_bytes=50_000), a__jsonl=lines([{"text": "x" * 90}] * 20_000))

    assert any(
        note.startswith("Not looked at, because there is a limit: the rest of a.jsonl") for note in inferred.notes
    )


def test_same_samples_give_the_same_text(infer: Infer, lines: Lines) -> None:
    body = lines([{"kind": "abc"[n % 3], "o": {"b": n, "a": [n]}} for n in range(200)])

    assert infer("things", a__jsonl=body).contract_text == infer("things", a__jsonl=body).contract_text


def test_start_is_written_out(infer: Infer) -> None:
    inferred = infer("things", a__csv=CSV)

    assert inferred.contract.start == FIRST_DATE
    assert "start: 2010-01-01 #" in inferred.contract_text
