"""What lands: small files of four datasets, some of their records wrong, all of it from one random source."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

Record = dict[str, object]

DAYS = tuple(f"2024-03-{day:02}" for day in range(1, 5))
_SHOPS = ("north", "south", "east")
_KEYS = 40
_WRONG_SHARE = 0.15
_PARQUET: dict[str, pa.DataType] = {"sku": pa.string(), "serial": pa.int64(), "quantity": pa.int64()}
_KEY_PATTERNS = {
    "orders": "orders/date={day}/{name}.jsonl",
    "payments": "payments/date={day}/{name}.csv",
    "clicks": "clicks/date={day}/app/{name}.jsonl.gz",
    "stock": "stock/{slashed}/{name}.parquet",
}


@dataclass(slots=True)
class Writer:
    """Makes files; every record of theirs has a serial number of its own, so that of two the later is known."""

    random: Random
    serial: int = 0

    def content(self, dataset: str) -> bytes:
        make, write = _MAKERS[dataset]
        return write(self, [self._record(make) for _ in range(self.random.randint(1, 30))])

    def is_wrong(self) -> bool:
        return self.random.random() < _WRONG_SHARE

    def _record(self, make: Callable[[Writer], Record]) -> Record:
        self.serial += 1
        record = make(self) | {"serial": self.serial}
        return record | ({self.random.choice(sorted(record)): None} if self.is_wrong() else {})


def key_of(dataset: str, day: str, name: str) -> str:
    """Return the key below the raw zone."""
    return _KEY_PATTERNS[dataset].format(day=day, slashed=day.replace("-", "/"), name=name)


def _order(writer: Writer) -> Record:
    key, shop = writer.random.randint(1, _KEYS), writer.random.choice(_SHOPS)
    return {"order_id": key, "shop": shop, "amount": _amount(writer)}


def _payment(writer: Writer) -> Record:
    return {"order_id": writer.random.randint(1, _KEYS), "paid": _amount(writer)}


def _click(writer: Writer) -> Record:
    return {"page": f"/{writer.random.randint(1, _KEYS)}"}


def _stock(writer: Writer) -> Record:
    return {"sku": f"s{writer.random.randint(1, _KEYS)}", "quantity": writer.random.randint(0, 1000)}


def _amount(writer: Writer) -> float:
    return writer.random.randint(0, 99_999) / 100


def _json_lines(writer: Writer, records: Sequence[Record]) -> bytes:
    lines = [json.dumps(record) for record in records]
    return "".join(f"{line[:-1] if writer.is_wrong() else line}\n" for line in lines).encode()


def _gzipped(writer: Writer, records: Sequence[Record]) -> bytes:
    return gzip.compress(_json_lines(writer, records), mtime=0)


def _csv(_writer: Writer, records: Sequence[Record]) -> bytes:
    names = ("serial", "order_id", "paid")
    rows = [",".join("" if row[name] is None else str(row[name]) for name in names) for row in records]
    return "".join(f"{row}\n" for row in (",".join(names), *rows)).encode()


def _parquet(_writer: Writer, records: Sequence[Record]) -> bytes:
    schema = pa.schema([pa.field(name, kind) for name, kind in _PARQUET.items()])
    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(records), schema), written)
    return written.getvalue()


_MAKERS: dict[str, tuple[Callable[[Writer], Record], Callable[[Writer, Sequence[Record]], bytes]]] = {
    "orders": (_order, _json_lines),
    "payments": (_payment, _csv),
    "clicks": (_click, _gzipped),
    "stock": (_stock, _parquet),
}
DATASETS = tuple(_MAKERS)
