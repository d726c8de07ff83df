"""What Dagster shows of a built partition: numbers that plot over partitions, reasons, a few rejected records."""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING

import dagster as dg

from pipeline_assets.asset_specs import Zone, asset_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_assets.ports import Store
    from sluice.outcome import Outcome
    from sluice.quarantine_reader import QuarantinedRecord

_Row = dict[str, str | int | None]
_SAMPLE_RECORDS = 10
_SHOWN_DRIFT = 100
_SHOWN_CHARACTERS = 300


def built_numbers(outcome: Outcome) -> dict[str, int | float | str]:
    """Return the numbers of a build; `seconds`, `bytes` and `objects parsed` are of the run that did the work."""
    return {
        "records_in": outcome.records_in,
        "published": outcome.published,
        "quarantined": outcome.quarantined,
        "duplicates": outcome.duplicates,
        "bytes_in": outcome.bytes_in,
        "bytes_out": outcome.bytes_out,
        "seconds": outcome.seconds,
        "dagster/partition_row_count": outcome.published,
        "objects parsed": len(outcome.objects) - outcome.objects_reused,
        "objects reused": outcome.objects_reused,
        **({"unknown fields": ", ".join(outcome.unknown_fields)} if outcome.unknown_fields else {}),
    }


def _redriven_numbers(outcome: Outcome) -> dict[str, int | str]:
    if outcome.redriven is None:
        return {}
    return {
        "returned from quarantine": outcome.redriven.returned,
        "rejected again": outcome.redriven.stayed,
        "superseded": outcome.redriven.superseded,
        "compared with": outcome.redriven.version,
    }


def drift_report(outcome: Outcome) -> dict[str, dg.TableMetadataValue]:
    """Return what drifted, object by object; nothing when nothing did."""
    records_in = {item.key: item.records_in for item in outcome.objects}
    rows: list[_Row] = [
        {
            "object": item.key,
            "drift": str(item.kind),
            "field": item.field,
            "records": item.records,
            "share": f"{item.records / records_in[item.key]:.1%}",
        }
        for item in outcome.drifted[:_SHOWN_DRIFT]
    ]
    return {"drift": _table(("object", "drift", "field", "records", "share"), rows)} if rows else {}


def quarantine_report(outcome: Outcome, store: Store) -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(
        asset_key=asset_key(Zone.QUARANTINE, outcome.dataset),
        data_version=dg.DataVersion(str(outcome.version)),
        metadata={
            "quarantined": outcome.quarantined,
            "dagster/partition_row_count": outcome.quarantined,
            **_redriven_numbers(outcome),
            "reasons": _reasons_table(outcome),
            "sample": _sample_table(outcome, store),
        },
    )


def _reasons_table(outcome: Outcome) -> dg.TableMetadataValue:
    counts: Counter[tuple[str, str]] = Counter()
    for reason in outcome.reasons:
        counts[reason.code, reason.column or ""] += reason.records
    rows: list[_Row] = [
        {"reason": code, "column": column, "records": number} for (code, column), number in counts.most_common()
    ]
    return _table(("reason", "column", "records"), rows)


def _sample_table(outcome: Outcome, store: Store) -> dg.TableMetadataValue:
    records = islice(chain.from_iterable(_rejected(outcome, store)), _SAMPLE_RECORDS)
    rows: list[_Row] = [
        {
            "object": record.object,
            "line": record.line,
            "reasons": "; ".join(_reason_text(reason.code, reason.column, reason.value) for reason in record.reasons),
            "record": (record.raw or b"").decode(errors="backslashreplace")[:_SHOWN_CHARACTERS],
        }
        for record in records
    ]
    return _table(("object", "line", "reasons", "record"), rows)


def _rejected(outcome: Outcome, store: Store) -> Iterator[Iterator[QuarantinedRecord]]:
    from sluice.quarantine_reader import read_quarantine  # loads pyarrow: steps need it, sensors do not

    for file in outcome.quarantine_files:
        with store.open(file.key) as opened:
            yield read_quarantine(opened)


def _reason_text(code: str, column: str | None, value: str | None) -> str:
    shown = f" {column}" if column else ""
    return f"{code}{shown}" + (f": {value[:_SHOWN_CHARACTERS]}" if value else "")


def _table(columns: tuple[str, ...], rows: list[_Row]) -> dg.TableMetadataValue:
    # The schema is given because Dagster cannot infer one from no rows.
    types = {"records": "int", "line": "int"}
    schema = dg.TableSchema([dg.TableColumn(name, types.get(name, "string")) for name in columns])
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows], schema=schema)
