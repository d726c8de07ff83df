"""The columns of CSV samples, by name; records are taken apart by the SQL that does it in every transform."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa

from sluice.errors import SampleRefused
from sluice.inference.column_names import is_key, is_position
from sluice.inference.observation import KEPT_RECORDS
from sluice.reading.csv_fields import field_value, fields_expression

if TYPE_CHECKING:
    from sluice.contract import CsvDialect
    from sluice.inference.observation import Observation, SampleReading

_LINES = "_sluice_lines"
_FIELDS = "_sluice_fields"


def observe_csv(reading: SampleReading, seen: Observation) -> None:
    """Add all records of one sample to `seen`; a record with more or fewer fields than the header is broken."""
    batches = list(reading.batches(seen))
    if not batches:
        return
    dialect = reading.source.csv
    _split(seen, pa.Table.from_batches(batches), dialect)
    header = reading.tally.headers.get(0) or _numbered(seen)
    _refuse_doubled(header, reading.sample.name)
    seen.header_line = seen.header_line or _header_line(header, dialect)
    _add_records(seen, header, dialect)
    seen.connection.execute(f"DROP TABLE {_FIELDS}")


def _header_line(header: tuple[str, ...], dialect: CsvDialect) -> str:
    quote = dialect.quote
    if quote is None:
        return dialect.delimiter.join(header)
    return dialect.delimiter.join(f"{quote}{name.replace(quote, quote * 2)}{quote}" for name in header)


def _split(seen: Observation, lines: pa.Table, dialect: CsvDialect) -> None:
    seen.connection.register(_LINES, lines)
    seen.connection.execute(
        f"CREATE TEMP TABLE {_FIELDS} AS "
        f"SELECT line_no, line, {fields_expression('line', dialect)} AS fields FROM {_LINES}"
    )
    seen.connection.unregister(_LINES)


def _numbered(seen: Observation) -> tuple[str, ...]:
    """Name the columns of a file without a header after their places; most records know how many there are."""
    ((width,),) = seen.connection.execute(f"SELECT mode(len(fields)) FROM {_FIELDS}").fetchall()
    return tuple(f"column_{place}" for place in range(1, width + 1))


def _refuse_doubled(header: tuple[str, ...], sample: str) -> None:
    doubled = sorted(name for name, times in Counter(header).items() if times > 1)
    if doubled:
        raise SampleRefused(
            f"The header of {sample} names {', '.join(doubled)} twice, so no column can be found by its name.",
            cure="Rename one of them in the file.",
        )


def _add_records(seen: Observation, header: tuple[str, ...], dialect: CsvDialect) -> None:
    sound = f"FROM {_FIELDS} WHERE len(fields) = {len(header)}"
    ((records, whole),) = seen.connection.execute(
        f"SELECT count(*), count(*) FILTER (len(fields) = {len(header)}) FROM {_FIELDS}"
    ).fetchall()
    seen.records += whole
    seen.broken += records - whole
    named: dict[str, list[str | None]] = {}
    for place, name in enumerate(header, start=1):
        column = seen.column(name)
        if column is not None:
            value = field_value(f"fields[{place}]", dialect)
            rows = seen.connection.execute(f"SELECT {value} {sound} ORDER BY line_no").fetchall()
            texts = [text for (text,) in rows]
            column.add_fields(pa.array(texts, pa.string()))
            if is_key(name) or is_position(name):
                named[name] = texts
    for values in zip(*named.values(), strict=True):
        seen.candidates.add(dict(zip(named, values, strict=True)))
    kept = f"SELECT line {sound} ORDER BY line_no LIMIT {KEPT_RECORDS}"
    for (line,) in seen.connection.execute(kept).fetchall():
        seen.keep(line)
