"""Inputs of every kind, over two thousand records each, the same at every run."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from sluice.contract_file import read_contract

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from random import Random

    from sluice.contract import Contract

RECORDS = 2_100

_NUMBERS = """0 -0 1 -1 1.0 1.5 1e3 1E3 1e-3 12345678901234567890 9223372036854775807 9223372036854775808 2147483648
-2147483649 0.1 1e400 -1e400 1e-400 123456789012345678.12 99999999.99 100000000.00 0.005 0.010 1.10 -0.0 1e0 1.0e1
"1" "1.5" " 7 " "1_000" "0x1F" "+3" "--3" "" "abc" "NaN" "Infinity" "1e3" "1,5" "١" true false null [1] {"a":1} "1 2" "\\u0000"
12345678901234567890123456789012345678 0.1234567890123456789 "007" 7e-1 "-" "." ".5" "5." "1e" 1e38 1e308 4.9e-324"""
NUMBERS = [word for line in _NUMBERS.splitlines() for word in line.split(" ") if word.count('"') != 1] + [
    '" 7 "',
    '"1 2"',
]
DATES = [
    *('"2026-11-01"', '"2026-02-29"', '"2024-02-29"', '"2026-13-01"', '"2026-1-1"', '"0001-01-01"', '"9999-12-31"'),
    *('"12345-01-01"', '"-0001-01-01"', '"1582-10-10"', '"1900-02-29"', '"2026-11-01T00:00:00Z"', '"20261101"'),
    *('"2026-11-01T10:11:12Z"', '"2026-11-01 10:11:12+00"', '"2026-11-01T10:11:12"', '"2026-11-01T10:11:12.123456Z"'),
    *('"2026-11-01T10:11:12.1234567Z"', '"2026-11-01T10:11:12.1234560Z"', '"2026-11-01T10:11:12+05:30"'),
    *('"2026-11-01T10:11:12+99:00"', '"2026-11-01T25:00:00Z"', '"2026-11-01T23:59:60Z"', '"2026-03-29T02:30:00"'),
    *('"2026-10-25T02:30:00"', '"2026-11-01T10:11"', '"1883-11-18T12:00:00"', '"0001-01-01T00:00:00Z"'),
    *('"9999-12-31T23:59:59.999999Z"', '"01/11/2026"', '"31.12.2026"', '"infinity"', '"epoch"', '"now"', '"today"'),
    *('""', '" 2026-11-01"', '"2026-11-01 "', "20261101", "1777777777", "1777777777.5", "1777777777777", "null"),
    *("true", "{}", "[]", '"2026-11-01T10:11:12 UTC"', '"2026-11-01T10:11:12-00:30"', '"2026-11-01T10:11:12z"'),
]
_FORMS = [
    *(
        '{"id":NaN}',
        '{"id":1,}',
        "{'id':1}",
        '{"id":01}',
        '{"id":1}{"id":2}',
        '{"id":1} x',
        "[]",
        '"text"',
        "7",
        "null",
    ),
    *('{"id":1,"id":2}', '{"id":1,"s":"\\ud800"}', '{"id":1,"s":"\\ud83d\\ude00"}', '{"id":1,"s":"a\tb"}', "{", "}"),
    *(
        '{"id":1,"s":"\\u0000"}',
        '{"id":1,"s":"\\x"}',
        '{"id":1/*c*/}',
        '{"id":+1}',
        '{"id":.5}',
        '{"id":1.}',
        "\ufeff{}",
    ),
    *(
        '{"ID":1}',
        '{"id":1,"new":2}',
        '{"id":1,"s":{"a":1}}',
        '{"id":1,"s":[1]}',
        '{"id":1,"s":true}',
        '{"id":1,"s":1.50}',
    ),
    *(
        " ",
        "\t\r",
        "",
        '{"id":1,"s":"' + "x" * 5_000 + '"}',
        '{"id":1,"s":' + "[" * 500 + "]" * 500 + "}",
        '  {"id":9}  ',
    ),
]


@dataclass(frozen=True)
class Kind:
    """A contract and the objects of one partition, key -> bytes."""

    contract: Contract
    objects: Mapping[str, bytes]


def declared(
    columns: str, settings: str = "{}", *, fields: str = "format: jsonl", pattern: str = "events/date={date}/*"
) -> Contract:
    """Return the contract of `columns`, one property in YAML a line."""
    properties = "\n".join(f"      - {{{line.strip()}}}" for line in columns.strip().splitlines())
    text = f"""apiVersion: v3.2.0
kind: DataContract
id: events
name: events
version: 1.0.0
status: active
servers:
  - server: landing
    type: local
    path: "{pattern}"
    {fields}
schema:
  - name: events
    logicalType: object
    properties:
{properties}
customProperties:
  - property: sluice
    value: {settings}
"""
    return read_contract(text, path="events/contract.yaml")


ID = "name: id, logicalType: integer, required: true"
KEY = f"{ID}, primaryKey: true"


def lines(items: Iterable[Any]) -> bytes:
    return b"".join(_line(item) + b"\n" for item in items)


def _line(item: Any) -> bytes:
    if isinstance(item, bytes):
        return item
    return (item if isinstance(item, str) else json.dumps(item)).encode("utf-8", "surrogatepass")


def split(items: Sequence[Any], parts: int = 3) -> dict[str, bytes]:
    return {f"o{number}.jsonl": lines(items[number::parts]) for number in range(parts)}


def _moment(random: Random) -> str:
    found = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(
        seconds=random.randrange(86_400), microseconds=random.randrange(9)
    )
    return found.isoformat()


def _record(random: Random, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "i": random.randrange(-(2**31), 2**31),
        "price": f"{random.randrange(10**8) / 100:.2f}",
        "x": random.uniform(-1e9, 1e9),
        "ok": random.random() < 0.5,
        "day": f"20{random.randrange(10, 40)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",
        "at": _moment(random),
        "s": random.choice(["", "plain", "ünï 😀", 'quo"te', "new\nline", "\x00", " "]),
        "any": random.choice([None, 1, [1, {"a": None}], {"b": 1.50}]),
    }


_ALL = f"""
    {KEY}
    name: i, logicalType: integer, physicalType: int
    name: price, logicalType: number, physicalType: "decimal(10,2)"
    name: x, logicalType: number
    name: ok, logicalType: boolean
    name: day, logicalType: date
    name: at, logicalType: timestamp
    name: s, logicalType: string
    name: any, logicalType: object
"""


def valid(random: Random) -> Kind:
    records = [_record(random, number) for number in range(RECORDS)]
    return Kind(declared(_ALL, "{sort_by: [at, id]}"), split(records))


def malformed(random: Random) -> Kind:
    """Whole lines of every bad form, and good ones with a few bytes changed, lost or put in."""
    good = [json.dumps(_record(random, number), ensure_ascii=False).encode() for number in range(RECORDS)]
    changed = [_changed(line, random) for line in good]
    return Kind(declared(_ALL), split([*_FORMS * 3, *changed]))


def _changed(line: bytes, random: Random) -> bytes:
    place, octet = random.randrange(len(line)), bytes([random.choice([*range(11, 256), 9])])
    return random.choice(
        [
            line[:place] + line[place + 1 :],
            line[:place] + octet + line[place:],
            line[:place] + octet + line[place + 1 :],
        ]
    )


def nested(random: Random) -> Kind:
    columns = f"""
        {ID}
        name: who, logicalType: object, properties: [{{name: n, logicalType: string, required: true}}, {{name: at, logicalType: timestamp}}, {{name: in, logicalType: object, properties: [{{name: "a.b", logicalType: number, physicalType: "decimal(9,3)"}}, {{name: d, logicalType: date}}]}}]
        name: tags, logicalType: array, items: {{logicalType: string}}
        name: items, logicalType: array, items: {{logicalType: object, properties: [{{name: q, logicalType: integer, physicalType: int}}, {{name: at, logicalType: timestamp}}]}}
        name: grid, logicalType: array, items: {{logicalType: array, items: {{logicalType: number}}}}
        name: any, logicalType: array
    """
    return Kind(declared(columns), split([_nested(random, number) for number in range(RECORDS)]))


def _nested(random: Random, number: int) -> dict[str, Any]:
    at = random.choice([_moment(random), None, "bad", 7])
    inner: object = random.choice([None, {}, {"a.b": "1.250", "d": "2026-01-01"}, {"a.b": 1.23456}, {"d": "x"}, []])
    return {
        "id": number,
        "who": random.choice(
            [None, {}, {"n": "a"}, {"n": "a", "at": at, "in": inner}, {"n": 1, "more": 2}, "who", [1]]
        ),
        "tags": random.choice([None, [], ["a", None, ""], "a", ["a", 1], [["a"]], {"0": "a"}]),
        "items": random.choice([None, [], [{"q": 1, "at": at}, None], [{"q": 1.5}], [{}], [1], [{"q": 2**40}]]),
        "grid": random.choice([None, [[1, 2.5], [], None], [[None]], [1], [["x"]]]),
        "any": random.choice([None, [], [1, {"a": [None]}]]),
    }


def duplicates(random: Random) -> Kind:
    """Few keys, ties and NULLs in the order column, both zeros, keys in several objects."""
    columns = """
        name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1
        name: part, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 2
        name: version, logicalType: number
        name: seen, logicalType: integer
    """
    records = [
        f'{{"id": {random.choice(["null", *range(150)])}, "part": {random.choice(["null", chr(34) + "a" + chr(34), chr(34) + "A" + chr(34)])}, '
        f'"version": {random.choice(["null", "0.0", "-0.0", "1", "2.5", "-3", "oops"])}, "seen": {number}}}'
        for number in range(RECORDS)
    ]
    return Kind(declared(columns, "{order_by: version}"), split(records, 7))


def latest_by_time(random: Random) -> Kind:
    columns = f"{KEY}\n name: at, logicalType: timestamp\n name: seen, logicalType: integer"
    records = [
        {"id": random.randrange(200), "at": random.choice([None, _moment(random)]), "seen": number}
        for number in range(RECORDS)
    ]
    return Kind(declared(columns, "{order_by: at, sort_by: [id]}"), split(records, 5))


def unique(random: Random) -> Kind:
    columns = f"""
        {KEY}
        name: mail, logicalType: string, unique: true
        name: at, logicalType: timestamp, unique: true
        name: x, logicalType: number, unique: true
    """
    records = [
        {
            "id": random.randrange(1_500),
            "mail": random.choice([None, f"m{random.randrange(900)}"]),
            "at": random.choice([None, _moment(random)]),
            "x": random.choice([None, 0.0, -0.0, random.randrange(500) / 7, 1e22]),
        }
        for _ in range(RECORDS)
    ]
    return Kind(declared(columns, "{order_by: at}"), split(records))


def numbers(random: Random) -> Kind:
    columns = f"""
        {ID}
        name: i, logicalType: integer, physicalType: int
        name: n, logicalType: integer
        name: d, logicalType: number, physicalType: "decimal(10,2)"
        name: wide, logicalType: number, physicalType: "decimal(38,10)"
        name: x, logicalType: number
        name: s, logicalType: string
        name: b, logicalType: boolean
        name: limited, logicalType: number, logicalTypeOptions: {{minimum: 0, exclusiveMaximum: 100}}
    """
    return Kind(declared(columns), split(_odd(random, NUMBERS, ("i", "n", "d", "wide", "x", "s", "b", "limited"))))


def dates(random: Random) -> Kind:
    columns = f"""
        {ID}
        name: day, logicalType: date
        name: at, logicalType: timestamp
        name: local, logicalType: timestamp, logicalTypeOptions: {{timezone: false, defaultTimezone: Europe/Berlin}}
        name: german, logicalType: date, logicalTypeOptions: {{format: "dd.MM.yyyy"}}
        name: late, logicalType: timestamp, logicalTypeOptions: {{minimum: "2026-01-01T00:00:00Z"}}
    """
    return Kind(declared(columns), split(_odd(random, DATES, ("day", "at", "local", "german", "late"))))


def _odd(random: Random, words: Sequence[str], names: Sequence[str]) -> list[str]:
    """One odd value in most records, so that neighbours do not hide it; several in some."""
    records = []
    for number in range(RECORDS):
        chosen = [names[number % len(names)]] if random.random() < 0.8 else random.sample(names, 3)
        word = words[number // len(names) % len(words)]
        members = [f'"{name}": {word if name == chosen[0] else random.choice(words)}' for name in chosen]
        records.append(f'{{"id": {number}, {", ".join(members)}}}')
    return records


_CSV = f"""
    {ID}
    name: s, logicalType: string
    name: d, logicalType: number, physicalType: "decimal(10,2)"
    name: at, logicalType: timestamp
"""


def csv(random: Random) -> Kind:
    return Kind(declared(_CSV, fields="format: csv"), {f"o{n}.csv": _csv(random).encode() for n in range(3)})


def _csv(random: Random) -> str:
    ends = random.choice(["\n", "\r\n", "\r"])
    texts = [
        "",
        '""',
        '"a,b"',
        '"two\nlines"',
        '"do""ubled"',
        'in"side',
        '"open',
        '"after" x',
        "é",
        " x ",
        '"1"',
        "NULL",
    ]
    rows = [
        f"{random.choice([number, number, number, 'x'])},{random.choice(texts)},{random.choice(['1.50', '', 'a'])},"
        f"{random.choice(['2026-11-01T00:00:00Z', '', 'x', '2026-11-01T00:00:00Z,more'])}"
        for number in range(RECORDS // 3)
    ]
    return ends.join(["id,s,d,at", *rows, ""])


def encoded_csv(random: Random) -> Kind:
    contract = declared(_CSV, fields="format: csv\n    encoding: utf-16\n    delimiter: ';'")
    rows = [f"{number};{random.choice(['ä', '漢', 'x;y', '', '😀'])};1.50;" for number in range(RECORDS)]
    whole = "\n".join(["id;s;d;at", *rows]).encode("utf-16")
    return Kind(contract, {"a.csv": whole, "cut.csv": whole[:-1], "utf8.csv": b"\xef\xbb\xbfid;s;d;at\n1;a;1;\n"})


def parquet(random: Random) -> Kind:
    table = pa.table(
        {
            "id": pa.array([random.choice([None, number]) for number in range(RECORDS)], pa.int64()),
            "s": pa.array([random.choice([None, "a", "ü"]) for _ in range(RECORDS)]),
            "x": pa.array([random.choice([None, 1.5, float("nan"), float("inf"), -0.0]) for _ in range(RECORDS)]),
            "d": pa.array([random.randrange(10**9) for _ in range(RECORDS)], pa.uint64()),
            "at": pa.array([random.randrange(10**18) for _ in range(RECORDS)], pa.timestamp("ns", "UTC")),
            "any": pa.array([[{"k": "v"}] for _ in range(RECORDS)]),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    columns = f"""
        {ID}
        name: s, logicalType: string
        name: x, logicalType: number
        name: d, logicalType: number, physicalType: "decimal(12,2)"
        name: at, logicalType: timestamp
        name: any, logicalType: array
    """
    whole = buffer.getvalue()
    objects = {"a.parquet": whole, "cut.parquet": whole[:-9], "no.parquet": b"PAR0"}
    return Kind(declared(columns, fields="format: parquet"), objects)


def drifting(random: Random) -> Kind:
    """One object as declared, one that lacks a column, one of another type, one with a field more."""
    records = [_record(random, number) for number in range(RECORDS)]
    objects = {
        "a.jsonl": lines(records),
        "lacking.jsonl": lines({name: value for name, value in item.items() if name != "id"} for item in records),
        "retyped.jsonl": lines({**item, "x": "many"} for item in records),
        "more.jsonl": lines({**item, "new": 1, "other": 2} for item in records),
    }
    return Kind(declared(_ALL, "{drift: quarantine}"), objects)


def unknown_refused(random: Random) -> Kind:
    more = [{}, {"new": 1}, {"a": 1, "b,c": 2}, {"ID": 3}]
    records = [_record(random, number) | random.choice(more) for number in range(RECORDS)]
    return Kind(declared(_ALL, "{unknown_fields: reject}"), split(records))


def damaged(random: Random) -> Kind:
    whole = gzip.compress(lines(_record(random, number) for number in range(RECORDS)))
    objects = {
        "a.jsonl.gz": whole,
        "cut.jsonl.gz": whole[: len(whole) // 2],
        "changed.jsonl.gz": whole[:200] + b"\0\0" + whole[202:],
        "garbage.jsonl.gz": whole + b"garbage",
        "empty.jsonl": b"",
        "zip.jsonl": b"PK\x03\x04" + bytes(60),
        "utf16.jsonl": '{"id":1}'.encode("utf-16"),
        "plain.jsonl.gz": b'{"id":1}\n{"id":2',
    }
    return Kind(declared(_ALL), objects)


def shimmed(random: Random) -> Kind:
    def shim(text: str) -> str:
        return f"customProperties: [{{property: sluice, value: {text}}}]"

    columns = f"""
        {ID}
        name: new, logicalType: string, {shim("{also_called: [old, 'o l.d']}")}
        name: n, logicalType: integer, {shim("{default: 7, cast: true}")}
        name: at, logicalType: timestamp, {shim("{cast: true}")}
        name: ok, logicalType: boolean, {shim("{cast: true}")}
    """
    names = ["new", "old", "o l.d", "NEW"]
    records = [
        f'{{"id": {number}, "{random.choice(names)}": "v", "{random.choice(names)}": "{random.choice("vw")}", '
        f'"n": {random.choice(NUMBERS)}, "at": {random.choice(DATES)}, "ok": {random.choice(NUMBERS)}}}'
        for number in range(RECORDS)
    ]
    return Kind(declared(columns), split(records))


def oddly_named(random: Random) -> Kind:
    columns = f"""
        {ID}
        name: "a.b", logicalType: integer, required: true, primaryKey: true
        name: "`tick`", logicalType: string
        name: 'quo"te', logicalType: object, properties: [{{name: "x`y.z", logicalType: integer}}]
        name: obj, logicalType: integer
        name: kind, logicalType: string, unique: true
    """
    records = [
        {
            "id": n,
            "a.b": n % 900,
            "`tick`": "t",
            'quo"te': {"x`y.z": n},
            "obj": n % 7,
            "kind": f"k{random.randrange(3_000)}",
        }
        for n in range(RECORDS)
    ]
    return Kind(declared(columns, '{sort_by: ["a.b"]}'), split(records))


ALL = (
    valid,
    malformed,
    nested,
    duplicates,
    latest_by_time,
    unique,
    numbers,
    dates,
    csv,
    encoded_csv,
    parquet,
    drifting,
    unknown_refused,
    damaged,
    shimmed,
    oddly_named,
)
