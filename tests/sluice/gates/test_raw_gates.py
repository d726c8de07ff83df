from __future__ import annotations

import gzip
import json
from dataclasses import replace
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from sluice.completeness import control_key, marker_key
from sluice.contract import Contract, FileFormat, Source
from sluice.gate_rules import Completeness, GateRules
from sluice.gates.evidence import ObjectHead, RawEvidence
from sluice.gates.raw_is_complete import RAW_IS_COMPLETE
from sluice.gates.raw_objects_are_readable import RAW_OBJECTS_ARE_READABLE
from sluice.gates.raw_objects_exist import RAW_OBJECTS_EXIST
from sluice.manifest import RawObject

ORDERS = Contract("orders", "1.0.0", (), source=Source("orders/date={date}/*", FileFormat.JSONL))
DERIVED = Contract("revenue", "1.0.0", (), transform_sql="SELECT 1 FROM orders")
DAY = "2026-11-03"
FOLDER = f"raw/orders/date={DAY}/"


def raw_object(name: str, size: int = 10) -> RawObject:
    return RawObject(FOLDER + name, "e", size)


def head_of(data: bytes) -> ObjectHead:
    return ObjectHead(data[:16], data[-16:])


def evidence_of(
    files: dict[str, bytes | None], limit: float = 0.5, file_format: FileFormat = FileFormat.JSONL
) -> RawEvidence:
    contract = replace(
        ORDERS, source=Source("orders/date={date}/*", file_format), gates=GateRules(max_unreadable_share=limit)
    )
    return RawEvidence(
        contract=contract,
        partition=DAY,
        objects=tuple(raw_object(name, 10 if data is None else len(data)) for name, data in files.items()),
        heads={FOLDER + name: None if data is None else head_of(data) for name, data in files.items()},
    )


def parquet() -> bytes:
    written = BytesIO()
    pq.write_table(pa.table({"id": [1]}), written)
    return written.getvalue()


LINE = b'{"id": 1}\n'
GZIPPED = gzip.compress(LINE)
ZSTD = zstandard.compress(LINE)


def test_objects_that_landed_exist() -> None:
    verdict = RAW_OBJECTS_EXIST.judge(RawEvidence(ORDERS, DAY, (raw_object("a"), raw_object("b", 1_190))))

    assert verdict.holds
    assert verdict.explanation == "2 objects with 1,200 bytes landed for 2026-11-03."
    assert verdict.numbers == {"objects": 2, "size_bytes": 1_200}


def test_nothing_landed_does_not_hold_and_nobody_can_accept_it() -> None:
    verdict = RAW_OBJECTS_EXIST.judge(RawEvidence(ORDERS, DAY, ()))

    assert not verdict.holds
    assert verdict.explanation == "Nothing has landed for 2026-11-03."
    assert not RAW_OBJECTS_EXIST.acceptable


@pytest.mark.parametrize("gate", [RAW_OBJECTS_EXIST, RAW_OBJECTS_ARE_READABLE, RAW_IS_COMPLETE], ids=lambda g: g.name)
def test_gates_on_landed_files_are_not_for_derived_datasets(gate: object) -> None:
    asked = replace(DERIVED, gates=GateRules(completeness=Completeness(minimum_objects=1)))

    assert not gate.applies(asked)  # type: ignore[attr-defined]  # a RawGate
    assert gate.applies(replace(ORDERS, gates=asked.gates))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("a.jsonl", LINE, id="text"),
        pytest.param("a.jsonl", b"", id="0 bytes of text are no records"),
        pytest.param("a.jsonl.gz", GZIPPED, id="gzip"),
        pytest.param("a.jsonl.gz", gzip.compress(b""), id="gzip of nothing"),
        pytest.param("a.jsonl.zst", ZSTD, id="zstd"),
        pytest.param("a.jsonl.zst", zstandard.compress(b""), id="zstd of nothing"),
        pytest.param("a.jsonl", GZIPPED, id="gzip under a plain name is read as gzip"),
        pytest.param("a.jsonl.gz", LINE, id="text under a name of gzip is read as text"),
        pytest.param("a.csv", b"PAR1,2,3\nx,4,5\n", id="text that happens to begin with the mark of Parquet"),
    ],
)
def test_what_the_transform_reads_is_readable(name: str, data: bytes) -> None:
    verdict = RAW_OBJECTS_ARE_READABLE.judge(evidence_of({name: data}, limit=0))

    assert verdict.holds
    assert verdict.numbers["unreadable_objects"] == 0
    assert verdict.sample == ()


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        pytest.param("a.jsonl", None, "could not be opened", id="gone"),
        pytest.param("a.jsonl.gz", b"", "is empty, but its name", id="empty gzip"),
        pytest.param("a.jsonl.zstd", b"", "is empty, but its name", id="empty zstd"),
        pytest.param("a.jsonl.gz", GZIPPED[:15], "cut off", id="gzip cut off in its header"),
        pytest.param("a.jsonl.gz", GZIPPED[:2] + b"\x07" + GZIPPED[3:], "cut off or wrong", id="no such compression"),
        pytest.param("a.jsonl.zst", ZSTD[:6], "stops within its header", id="zstd cut off"),
        pytest.param("a.jsonl.gz", bytes(range(16)) * 2, "neither gzip nor zstd", id="noise named gzip"),
        pytest.param("a.jsonl", b"PK\x03\x04" + bytes(20), "compressed with zip", id="zip"),
        pytest.param("a.jsonl", parquet(), "in the format Parquet", id="Parquet among lines"),
    ],
)
def test_what_no_reader_takes_is_unreadable(name: str, data: bytes | None, problem: str) -> None:
    verdict = RAW_OBJECTS_ARE_READABLE.judge(evidence_of({name: data}))

    assert not verdict.holds
    assert problem in str(verdict.sample[0]["problem"])
    assert verdict.sample[0]["object"] == FOLDER + name


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(LINE * 3, "not with the mark of Parquet", id="text"),
        pytest.param(parquet()[:-1], "end is missing", id="end is missing"),
        pytest.param(b"PAR1", "end is missing", id="one mark is both ends"),
    ],
)
def test_parquet_has_its_mark_at_both_ends(data: bytes, problem: str) -> None:
    broken = RAW_OBJECTS_ARE_READABLE.judge(evidence_of({"a.parquet": data}, file_format=FileFormat.PARQUET))
    whole = RAW_OBJECTS_ARE_READABLE.judge(evidence_of({"a.parquet": parquet()}, file_format=FileFormat.PARQUET))

    assert not broken.holds
    assert problem in str(broken.sample[0]["problem"])
    assert whole.holds


@pytest.mark.parametrize(
    ("limit", "holds", "origin"),
    [
        pytest.param(0.5, True, "default", id="exactly as many as may be"),
        pytest.param(0.49, False, "contract", id="one too many"),
    ],
)
def test_a_share_of_bad_objects_is_left_to_quarantine(limit: float, holds: bool, origin: str) -> None:  # noqa: FBT001
    verdict = RAW_OBJECTS_ARE_READABLE.judge(evidence_of({"a.jsonl": LINE, "b.jsonl": None}, limit))

    assert verdict.holds is holds
    assert verdict.origin == origin
    assert verdict.numbers["unreadable_share"] == 0.5
    assert verdict.explanation == f"50.0 % of 2 objects cannot be read, at most {100 * limit:.1f} % may be so."
    assert verdict.threshold == f"at most {100 * limit:.1f} % of the objects"


def test_an_object_whose_ends_were_not_fetched_does_not_pass_for_readable() -> None:
    assert not RAW_OBJECTS_ARE_READABLE.judge(RawEvidence(ORDERS, DAY, (raw_object("a"),))).holds


MARKER = Completeness(marker="orders/date={date}/_SUCCESS")
CONTROL = Completeness(control="orders/_control-{date:YYYYMMdd}.json")


def complete(asked: Completeness, *sizes: int, marker_present: bool = False, control: object = None) -> RawEvidence:
    return RawEvidence(
        contract=replace(ORDERS, gates=GateRules(completeness=asked)),
        partition=DAY,
        objects=tuple(raw_object(f"part-{number}.jsonl", size) for number, size in enumerate(sizes)),
        marker_present=marker_present,
        control=control if isinstance(control, bytes) or control is None else json.dumps(control).encode(),
    )


def test_keys_are_those_of_the_store_on_that_date() -> None:
    marker, control = (complete(asked).contract for asked in (MARKER, CONTROL))

    assert marker_key(marker, DAY) == "raw/orders/date=2026-11-03/_SUCCESS"
    assert control_key(control, DAY) == "raw/orders/_control-20261103.json"
    assert marker_key(control, DAY) is None
    assert control_key(marker, DAY) is None
    assert marker_key(ORDERS, DAY) is None


def test_a_contract_that_asks_for_nothing_has_no_such_gate() -> None:
    assert not RAW_IS_COMPLETE.applies(ORDERS)


FILES = [{"name": "part-0.jsonl", "bytes": 10}, {"name": f"date={DAY}/part-1.jsonl", "bytes": 20, "records": 2}]


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(complete(MARKER, 10, marker_present=True), id="marker"),
        pytest.param(complete(Completeness(minimum_objects=2), 10, 20), id="just enough objects"),
        pytest.param(complete(CONTROL, 10, 20, control={"objects": 2, "bytes": 30, "records": 9}), id="counts"),
        pytest.param(complete(CONTROL, 10, 20, control={"records": 9}), id="records are counted later"),
        pytest.param(complete(CONTROL, 10, 20, control={"files": FILES}), id="files by name"),
        pytest.param(complete(CONTROL, 10, control={"objects": 1, "sender": "shop"}), id="a field of the sender's own"),
        pytest.param(complete(CONTROL, 10, control=b'\xef\xbb\xbf{"objects": 1}'), id="byte order mark"),
    ],
)
def test_a_partition_with_all_that_was_asked_is_complete(evidence: RawEvidence) -> None:
    verdict = RAW_IS_COMPLETE.judge(evidence)

    assert verdict.explanation.startswith("All is there")
    assert verdict.holds


@pytest.mark.parametrize(
    ("evidence", "explanation"),
    [
        pytest.param(
            complete(MARKER, 10), f"The marker raw/orders/date={DAY}/_SUCCESS has not come.", id="marker missing"
        ),
        pytest.param(
            complete(CONTROL, 10), "The control file raw/orders/_control-20261103.json has not come.", id="no control"
        ),
        pytest.param(
            complete(Completeness(minimum_objects=2), 10), "Of at least 2 objects only 1 landed.", id="too few"
        ),
        pytest.param(
            complete(CONTROL, 10, control={"objects": 24}),
            "The control file says 24 objects, but 1 landed.",
            id="objects",
        ),
        pytest.param(
            complete(CONTROL, 10, 20, control={"objects": 1}),
            "The control file says 1 objects, but 2 landed.",
            id="one object too many",
        ),
        pytest.param(
            complete(CONTROL, 10, control={"bytes": 1_000}),
            "The control file says 1,000 bytes, but 10 landed.",
            id="bytes",
        ),
        pytest.param(
            complete(replace(MARKER, minimum_objects=2), 10),
            f"The marker raw/orders/date={DAY}/_SUCCESS has not come; of at least 2 objects only 1 landed.",
            id="all that is missing is told",
        ),
    ],
)
def test_a_partition_that_lacks_something_says_what(evidence: RawEvidence, explanation: str) -> None:
    verdict = RAW_IS_COMPLETE.judge(evidence)

    assert not verdict.holds
    assert verdict.explanation == explanation
    assert verdict.origin == "contract"


@pytest.mark.parametrize(
    ("control", "problem"),
    [
        pytest.param(b"", "Invalid JSON", id="empty"),
        pytest.param(b"\xff\xfe{}", "Invalid JSON", id="not UTF-8"),
        pytest.param(b"[" * 100_000, "Invalid JSON", id="nested without end"),
        pytest.param([1], "Input should be an object", id="a list"),
        pytest.param({}, "none of objects, records, bytes and files", id="nothing said"),
        pytest.param({"rows": 5}, "none of objects, records, bytes and files", id="only unknown fields"),
        pytest.param({"objects": "1"}, "objects: Input should be a valid integer", id="text"),
        pytest.param({"objects": True}, "objects: Input should be a valid integer", id="true"),
        pytest.param({"objects": -1}, "greater than or equal to 0", id="negative"),
        pytest.param({"bytes": 10**30}, "bytes: ", id="too large"),
        pytest.param({"objects": 3, "files": FILES}, "objects is 3, but its files come to 2", id="contradiction"),
        pytest.param({"files": [FILES[0], FILES[0]]}, "names one file twice", id="a file twice"),
        pytest.param({"files": [{"bytes": 1}]}, "files.0.name: Field required", id="a file without name"),
    ],
)
def test_a_wrong_control_file_is_told_and_raises_nothing(control: object, problem: str) -> None:
    verdict = RAW_IS_COMPLETE.judge(complete(CONTROL, 10, control=control))

    assert not verdict.holds
    assert verdict.explanation.startswith("The control file cannot be read: ")
    assert problem in verdict.explanation


def test_files_that_differ_from_the_control_file_are_listed() -> None:
    named = [{"name": "part-0.jsonl", "bytes": 11}, {"name": "part-9.jsonl"}]

    verdict = RAW_IS_COMPLETE.judge(complete(CONTROL, 10, 20, control={"files": named}))

    assert (
        verdict.explanation == f"The file {FOLDER}part-0.jsonl has 10 bytes, but was sent with 11, and 2 more differ."
    )
    assert [row["object"] for row in verdict.sample] == [
        f"{FOLDER}part-0.jsonl",
        "part-9.jsonl",
        f"{FOLDER}part-1.jsonl",
    ]


def test_what_was_sent_is_shown_beside_what_landed() -> None:
    verdict = RAW_IS_COMPLETE.judge(complete(replace(CONTROL, minimum_objects=1), 10, control={"files": [FILES[0]]}))

    assert verdict.numbers == {"objects": 1, "size_bytes": 10, "objects_sent": 1, "bytes_sent": 10}
    assert verdict.threshold == "what orders/_control-{date:YYYYMMdd}.json says, objects: at least 1"


@given(
    st.binary() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_no_control_file_raises(data: bytes) -> None:
    assert not RAW_IS_COMPLETE.judge(complete(CONTROL, 10, control=data)).holds
