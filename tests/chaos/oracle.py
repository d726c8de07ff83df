"""What tables must show, told in plain Python from the files alone; nothing of Sluice is asked."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.chaos.inputs import Record

Row = tuple[object, ...]
Rows = Counter[Row]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "orders": ("order_id", "serial", "shop", "amount"),
    "payments": ("order_id", "serial", "paid"),
    "clicks": ("page", "serial"),
    "stock": ("sku", "serial", "quantity"),
    "paid": ("shop", "orders", "amount", "paid"),
}
_KEYS: Mapping[str, str | None] = {"orders": "order_id", "payments": "order_id", "clicks": None, "stock": "sku"}
_EXACT = frozenset({"amount", "paid"})
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Expected:
    """What one state of a partition must come to."""

    rows: Rows
    records_in: int
    quarantined: int


def fingerprint_of(files: Mapping[str, bytes]) -> str:
    """Name a state of a partition as Sluice does: by the keys and the hashes of its files."""
    digest = hashlib.sha256()
    for key, content in sorted(files.items()):
        etag = hashlib.blake2b(content, digest_size=16).hexdigest()
        digest.update(f"raw/{key}\0{etag}\0".encode())
    return digest.hexdigest()[:16]


def expected_of(dataset: str, files: Mapping[str, bytes]) -> Expected:
    records = [record for content in files.values() for record in _records(dataset, content)]
    good = [_row(dataset, record) for record in records if _is_good(dataset, record)]
    return Expected(Counter(_newest(dataset, good)), len(records), len(records) - len(good))


def paid_of(orders: Rows, payments: Rows) -> Rows:
    """Return the rows of the derived dataset."""
    paid_by_order = {row[0]: row[2] for row in payments}
    sums: dict[object, list[Decimal]] = {}
    for order_id, _, shop, amount in orders:
        of_shop = sums.setdefault(shop, [Decimal(), Decimal(), Decimal()])
        of_shop[0] += 1
        of_shop[1] += Decimal(str(amount))
        of_shop[2] += Decimal(str(paid_by_order.get(order_id, 0)))
    return Counter(
        (shop, int(count), amount.quantize(_CENT), paid.quantize(_CENT)) for shop, (count, amount, paid) in sums.items()
    )


def difference(found: Rows, wanted: Rows) -> str:
    more, less = found - wanted, wanted - found
    return f"{more.total()} rows too many {list(more)[:3]}, {less.total()} too few {list(less)[:3]}"


def _records(dataset: str, content: bytes) -> Iterator[Record | None]:
    """Yield every record, None for a line that is no record at all."""
    match dataset:
        case "orders":
            yield from map(_parsed, content.splitlines())
        case "clicks":
            yield from map(_parsed, gzip.decompress(content).splitlines())
        case "payments":
            yield from csv.DictReader(io.StringIO(content.decode()))
        case _:
            yield from pq.read_table(io.BytesIO(content)).to_pylist()


def _parsed(line: bytes) -> Record | None:
    try:
        record: Record = json.loads(line)
    except ValueError:
        return None
    return record


def _is_good(dataset: str, record: Record | None) -> bool:
    return record is not None and all(record[name] not in {None, ""} for name in COLUMNS[dataset])


def _row(dataset: str, record: Record | None) -> Row:
    assert record is not None
    return tuple(_value(name, record[name]) for name in COLUMNS[dataset])


def _value(column: str, value: object) -> object:
    if column in _EXACT:
        return Decimal(str(value)).quantize(_CENT)
    return value if column in {"shop", "page", "sku"} else int(str(value))


def _newest(dataset: str, rows: list[Row]) -> list[Row]:
    key = _KEYS[dataset]
    if key is None:
        return rows
    names = COLUMNS[dataset]
    place, serial = names.index(key), names.index("serial")
    return list({row[place]: row for row in sorted(rows, key=lambda row: int(str(row[serial])))}.values())
