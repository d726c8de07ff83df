"""From sample files to a contract that lets every one of their records through."""

from __future__ import annotations

import io
import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sluice.contract import FileFormat
from sluice.contract_file import read_contract
from sluice.contract_file.dataset_name import name_problem
from sluice.errors import ContractInvalid, SampleRefused
from sluice.inference.columns import declarable, infer_column, unambiguous
from sluice.inference.contract_text import Draft, contract_text
from sluice.inference.csv_columns import observe_csv
from sluice.inference.json_columns import observe_json
from sluice.inference.keys import KeyChoice, choose_key
from sluice.inference.notes import build_notes, listed
from sluice.inference.observation import KEPT_RECORDS, Observation, SampleReading
from sluice.inference.parquet_types import common_schema, decide_parquet
from sluice.inference.samples import Limits, recognise
from sluice.inference.value_types import Decision, decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from sluice.contract import Contract, Source
    from sluice.inference.samples import SampleFile
    from sluice.inference.shape import Shape


@dataclass(frozen=True, slots=True)
class InferredDataset:
    """What goes into a new dataset's folder; `notes` are sentences for the person who asked."""

    contract: Contract
    contract_text: str
    sample_name: str
    sample: bytes
    notes: tuple[str, ...]


def infer_contract(name: str, samples: Sequence[SampleFile], limits: Limits = Limits()) -> InferredDataset:  # noqa: B008  frozen
    """Look at the samples and declare dataset `name` so that all their sound records pass.

    Raises SampleRefused when there is nothing to infer from, ContractInvalid when `name` is no dataset's name.
    """
    _check_name(name)
    source = recognise(name, samples, limits)
    with closing(_connect()) as connection:
        seen = _observe(connection, samples, source, limits)
        named = declarable(seen)
        if not named.shapes:
            raise SampleRefused("No field of the samples can be a column.", cure=" ".join(named.refused))
        decisions = unambiguous(_decide(named.shapes, seen, source))
        choice = _choose_key(name, seen, named.shapes, decisions)
        columns = tuple(
            infer_column(column, shape, decisions[column], choice, seen.records)
            for column, shape in named.shapes.items()
        )
    text = contract_text(Draft(name, _origin(samples, seen), source, columns, choice.order_by))
    contract = read_contract(text, path=f"{name}/contract.yaml")
    sample_name = f"sample.{source.format}"
    notes = build_notes(seen, source, columns, choice, (*named.refused, _sample_note(sample_name)))
    return InferredDataset(contract, text, sample_name, _sample(source, seen), notes)


def _check_name(name: str) -> None:
    problem = name_problem(name)
    if problem is not None:
        raise ContractInvalid(
            path=f"{name}/contract.yaml", line=1, field="id", problem=problem.problem, cure=problem.cure
        )


def _connect() -> DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _observe(
    connection: DuckDBPyConnection, samples: Sequence[SampleFile], source: Source, limits: Limits
) -> Observation:
    seen = Observation(connection, limits.columns)
    left = limits
    for number, sample in enumerate(samples):
        reading = SampleReading(sample, source, left.share(len(samples) - number))
        if source.format is FileFormat.CSV:
            observe_csv(reading, seen)
        else:
            observe_json(reading, seen)
        seen.note_end(reading)
        left = left.less(reading.records, reading.size_bytes)
    if not seen.records:
        raise _nothing_sound(seen)
    return seen


def _nothing_sound(seen: Observation) -> SampleRefused:
    reasons = " ".join(f"{name}: {why}" for name, why in seen.unreadable.items())
    return SampleRefused(
        f"None of the {seen.broken:,} records in the samples could be read. {reasons}".strip(),
        cure="Name whole files with one record per line; JSON spread over lines becomes that with: jq -c . FILE",
    )


def _decide(shapes: dict[str, Shape], seen: Observation, source: Source) -> dict[str, Decision]:
    if source.format is not FileFormat.PARQUET:
        return {name: decide(name, shape) for name, shape in shapes.items()}
    schema = common_schema(seen.sound)
    return {name: decide_parquet(name, schema.get(name), shape) for name, shape in shapes.items()}


def _choose_key(name: str, seen: Observation, shapes: dict[str, Shape], decisions: dict[str, Decision]) -> KeyChoice:
    types = {column: decision.type for column, decision in decisions.items()}
    filled = [column for column, shape in shapes.items() if shape.seen == seen.records]
    return choose_key(name, seen.candidates, types, filled)


def _origin(samples: Sequence[SampleFile], seen: Observation) -> str:
    names = [sample.name if sample.name.isprintable() else json.dumps(sample.name) for sample in samples]
    return f"{listed(names)}: {seen.records:,} records"


def _sample_note(name: str) -> str:
    return f"{name} holds the first {KEPT_RECORDS} records as they are: take out what must not be in a repository."


def _sample(source: Source, seen: Observation) -> bytes:
    match source.format:
        case FileFormat.PARQUET:
            return _parquet_sample(seen.sound[0])
        case FileFormat.JSONL | FileFormat.JSON:
            return "".join(f"{line}\n" for line in seen.kept).encode()
        case FileFormat.CSV:
            header = [seen.header_line] if source.csv.header else []
            return "".join(f"{line}\n" for line in (*header, *seen.kept)).encode(source.csv.encoding)


def _parquet_sample(sample: SampleFile) -> bytes:
    written = io.BytesIO()
    with sample.open() as stream, pq.ParquetFile(stream) as file:
        first = next(file.iter_batches(batch_size=KEPT_RECORDS))
        pq.write_table(pa.Table.from_batches([first]), written)
    return written.getvalue()
