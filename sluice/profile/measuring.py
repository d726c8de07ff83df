"""Measures a staged partition. Footers tell most; values are read only of the key and of columns with metrics."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from sluice.duckdb_sessions import connect
from sluice.profile.column_metrics import NULL_SHARE, column_metrics_of, limited_columns, query_columns
from sluice.profile.footers import read_footer, total_column_bytes, total_nulls
from sluice.profile.profile import FileShape, Profile
from sluice.profile.repeated_keys import repeated_keys
from sluice.profile.staged_rows import open_staged
from sluice.profile.staged_schema import declared_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from sluice.contract import Contract
    from sluice.duckdb_sessions import Connect
    from sluice.gate_rules import Metric
    from sluice.outcome import Outcome
    from sluice.profile.footers import Footer


def measure(
    contract: Contract,
    outcome: Outcome,
    paths: Sequence[str],
    workspace: Path | None = None,
    connect: Connect = connect,
) -> Profile:
    """Measure local Parquet files, given in the order of `outcome.files`; DuckDB may spill to `workspace`."""
    profile = profile_of_footers(contract, outcome, [read_footer(path) for path in paths])
    return _with_values(profile, contract, lambda: open_staged(paths, workspace, connect))


def profile_of_footers(contract: Contract, outcome: Outcome, footers: Sequence[Footer]) -> Profile:
    """Return all that is known before a value is read."""
    files = tuple(
        FileShape(file.key, file.size_bytes, sum(footer.row_group_records), footer.row_group_records)
        for file, footer in zip(outcome.files, footers, strict=True)
    )
    schemas = [footer.schema for footer in footers]
    strange = [schema for schema in schemas if schema != declared_schema(contract)]
    return Profile(
        files=files,
        schema=(strange or schemas or [()])[0],
        nulls=total_nulls(footers),
        column_bytes=total_column_bytes(footers),
        metrics=_metrics_of_outcome(outcome, sum(file.records for file in files)),
    )


def _metrics_of_outcome(outcome: Outcome, records: int) -> Mapping[str, float]:
    metrics: dict[str, float] = {
        "row_count": records,
        "bytes_in": outcome.bytes_in,
        "bytes_out": outcome.bytes_out,
        "seconds": outcome.seconds,
    }
    if outcome.records_in:
        metrics["rejected_share"] = outcome.quarantined / outcome.records_in
        metrics["duplicate_share"] = outcome.duplicates / outcome.records_in
    return metrics


def _with_values(profile: Profile, contract: Contract, open_rows: Callable[[], DuckDBPyConnection]) -> Profile:
    """Add what only values tell, if any is asked for and there are values of the declared types."""
    if not profile.records or profile.schema != declared_schema(contract):
        return profile
    metrics = [metric for metric in column_metrics_of(contract) if metric.kind != NULL_SHARE]
    untold = [name for name in limited_columns(contract) if name not in profile.nulls]
    if metrics or untold or contract.primary_key:
        with closing(open_rows()) as connection:
            profile = _with_key(profile, contract, connection)
            profile = _with_columns(profile, contract, connection, metrics, untold)
    return _with_null_shares(profile, contract)


def _with_key(profile: Profile, contract: Contract, connection: DuckDBPyConnection) -> Profile:
    if not contract.primary_key:
        return profile
    total, sample = repeated_keys(connection, contract.primary_key, profile.records)
    return replace(profile, repeated_keys=total, repeated_key_sample=sample)


def _with_columns(
    profile: Profile,
    contract: Contract,
    connection: DuckDBPyConnection,
    metrics: Sequence[Metric],
    untold: Sequence[str],
) -> Profile:
    if not metrics and not untold:
        return profile
    values, nulls = query_columns(connection, contract, metrics, untold)
    return replace(profile, metrics={**profile.metrics, **values}, nulls={**profile.nulls, **nulls})


def _with_null_shares(profile: Profile, contract: Contract) -> Profile:
    shares = {
        str(metric): profile.nulls[metric.column] / profile.records
        for metric in column_metrics_of(contract)
        if metric.kind == NULL_SHARE and metric.column
    }
    return replace(profile, metrics={**profile.metrics, **shares})
