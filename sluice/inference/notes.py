"""What `sluice new` tells the person: what was decided, why, and what to look at before trusting it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract import FileFormat
from sluice.datatypes import Json, Timestamp
from sluice.inference.keys import LEAST_RECORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sluice.contract import Source
    from sluice.inference.contract_text import InferredColumn
    from sluice.inference.keys import KeyChoice
    from sluice.inference.observation import Observation

_DELIMITERS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}
_LISTED = 8


def build_notes(
    seen: Observation, source: Source, columns: Sequence[InferredColumn], choice: KeyChoice, more: Sequence[str]
) -> tuple[str, ...]:
    return (*_reading(seen), *_format(source), *_key(seen, choice), *_types(columns), *_rules(columns), *more)


def _reading(seen: Observation) -> Iterator[str]:
    yield f"Looked at {seen.records:,} records."
    if seen.cut_off:
        yield f"Not looked at, because there is a limit: the rest of {listed(seen.cut_off)}."
    if seen.broken:
        yield f"{seen.broken:,} more cannot be read as records and will be quarantined."
    for name, why in seen.unreadable.items():
        yield f"{name} cannot be read to its end, so it will be quarantined whole. {why}"
    if seen.left_out:
        yield f"{len(seen.left_out):,} columns beyond {len(seen.columns):,} are left out: are records maps?"


def _format(source: Source) -> Iterator[str]:
    if source.format is not FileFormat.CSV:
        return
    csv = source.csv
    delimiter = _DELIMITERS.get(csv.delimiter, csv.delimiter)
    quote = "no quotes" if csv.quote is None else f"quote {csv.quote}"
    header = "with a header" if csv.header else "without a header, so columns are called column_1 and so on"
    yield f"CSV: {delimiter}, {quote}, {csv.encoding}, {header}."


def _key(seen: Observation, choice: KeyChoice) -> Iterator[str]:
    if seen.records < LEAST_RECORDS:
        yield f"No key and no required columns: {seen.records} records prove little, {LEAST_RECORDS} are the least."
    elif choice.key:
        yield f"Key: {', '.join(choice.key)}, unique and called like one. Confirm it: a wrong key drops records."
        if choice.order_by:
            yield f"Among records with one key the latest {choice.order_by} wins."
    elif choice.possible:
        yield from (f"No key declared; {name} is {known}." for name, known in choice.possible.items())
    else:
        yield "No key: no column that is called like one is unique, so no record counts as a duplicate."


def _types(columns: Sequence[InferredColumn]) -> Iterator[str]:
    guessed = [column.name for column in columns if isinstance(column.type, Timestamp) and column.type.default_zone]
    if guessed:
        yield f"Time zone guessed (UTC) for {listed(guessed)}: the values name none."
    varied = [column.name for column in columns if isinstance(column.type, Json)]
    if varied:
        yield f"Kept as JSON text, because the shape varies: {listed(varied)}."
    empty = [column.name for column in columns if any(remark.startswith("always empty") for remark in column.remarks)]
    if empty:
        yield f"Always empty, declared as text: {listed(empty)}. Add a sample that fills them, or declare their types."


def _rules(columns: Sequence[InferredColumn]) -> Iterator[str]:
    required = [column.name for column in columns if column.required]
    if required:
        yield f"Required: {listed(required)}; only keys and event times are, other rules are suggested in comments."
    personal = [column.name for column in columns if column.personal]
    if personal:
        yield f"Classified as personal: {listed(personal)}."


def listed(names: Sequence[str]) -> str:
    """Return the names, but not hundreds of them."""
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
