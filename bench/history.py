"""A ledger with years in it: thousands of partitions, tens of thousands of attempts, written row by row at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from resources.ledger_schema import ATTEMPTS, FIRST_PUBLICATIONS, PUBLICATIONS, SPENDS, VERDICTS
from resources.verdict_json import write_verdict
from sluice.contract import CODE_VERSION, rules_fingerprint_of
from sluice.gates.verdict import Verdict
from sluice.outcome import ObjectBalance, Outcome, StagedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sluice.arrivals import Noticed
    from sluice.contract import Contract

_GATES = 13


def write_history(url: str, contract: Contract, arrivals: Iterable[Noticed], *, attempts: int) -> None:
    """Write what building each arrival `attempts` times has left: all ended well, and the last is published."""
    noticed = list(arrivals)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.insert(ATTEMPTS), [_attempt(contract, n, i) for i in range(attempts) for n in noticed])
        connection.execute(sa.insert(SPENDS), [_spend(contract, n, i) for i in range(attempts) for n in noticed])
        connection.execute(sa.insert(PUBLICATIONS), [_publication(contract, n) for n in noticed])
        connection.execute(sa.insert(FIRST_PUBLICATIONS), [_first(contract, n) for n in noticed])
        rules = rules_fingerprint_of(contract)
        connection.execute(
            sa.insert(VERDICTS), [_verdict(contract, n, g, rules) for n in noticed for g in range(_GATES)]
        )
    engine.dispose()


def _version(contract: Contract, noticed: Noticed, number: int) -> str:
    """Earlier attempts were at what the partition held before."""
    fingerprint = noticed.manifest.fingerprint if number == 0 else f"{number:016x}"
    return f"{fingerprint}-{contract.fingerprint}-{CODE_VERSION}"


def _built_at(noticed: Noticed, number: int) -> datetime:
    day = date.fromisoformat(noticed.manifest.partition) + timedelta(days=1)
    return datetime.combine(day, time(), UTC) - timedelta(minutes=number)


def _attempt(contract: Contract, noticed: Noticed, number: int) -> Mapping[str, object]:
    return {
        "dataset": contract.dataset,
        "partition": noticed.manifest.partition,
        "version": _version(contract, noticed, number),
        "number": 1,
        "run_id": f"{noticed.manifest.partition}-{number}",
        "started_at": _built_at(noticed, number),
        "ended_at": _built_at(noticed, number) + timedelta(seconds=3),
    }


def _spend(contract: Contract, noticed: Noticed, number: int) -> Mapping[str, object]:
    return {
        "dataset": contract.dataset,
        "partition": noticed.manifest.partition,
        "version": _version(contract, noticed, number),
        "run_id": f"{noticed.manifest.partition}-{number}",
        "month": noticed.manifest.partition[:7],
        "purpose": "build",
        "state": "published",
        "estimated_seconds": 3.0,
        "bytes_in": 2_000_000 + 1_000 * number,
        "objects": len(noticed.manifest.objects),
        "estimated_nanodollars": 90_000,
        "basis": "60 builds of this dataset: 0.3 s + 0.07 s per MB",
        "reserved_at": _built_at(noticed, number),
        "settled_at": _built_at(noticed, number) + timedelta(seconds=3),
        "actual_seconds": 3.1,
        "actual_nanodollars": 93_000,
    }


def _publication(contract: Contract, noticed: Noticed) -> Mapping[str, object]:
    partition = noticed.manifest.partition
    counts: Any = {"records_in": 100, "published": 98, "quarantined": 1, "duplicates": 1}  # Any: keywords
    objects = tuple(ObjectBalance(key=item.key, etag=item.etag, **counts) for item in noticed.manifest.objects)
    staged = f"processed/{contract.dataset}/date={partition}/part-00000.parquet"
    outcome = Outcome(
        dataset=contract.dataset,
        partition=partition,
        fingerprint=noticed.manifest.fingerprint,
        contract_version=contract.version,
        contract_fingerprint=contract.fingerprint,
        code_version=CODE_VERSION,
        run_id=f"{partition}-0",
        objects=objects,
        files=(StagedFile(key=staged, records=98 * len(objects), size_bytes=10_000),),
        quarantine_files=(),
    )
    return {
        "dataset": contract.dataset,
        "partition": partition,
        "outcome": outcome.model_dump_json(),
        "snapshot_id": noticed.sequence,
        "published_at": _built_at(noticed, 0),
        "version": str(outcome.version),
    }


def _first(contract: Contract, noticed: Noticed) -> Mapping[str, object]:
    place = {"dataset": contract.dataset, "partition": noticed.manifest.partition}
    return {**place, "published_at": _built_at(noticed, 0)}


def _verdict(contract: Contract, noticed: Noticed, gate: int, rules: str) -> Mapping[str, object]:
    return {
        "dataset": contract.dataset,
        "partition": noticed.manifest.partition,
        "gate": f"gate_{gate:02}",
        "version": _version(contract, noticed, 0),
        "rules": rules,
        "severity": "block",
        "blocks": False,
        "verdict": write_verdict(
            Verdict(holds=True, explanation="All records went somewhere.", numbers={"records": 98.0})
        ),
        "run_id": f"{noticed.manifest.partition}-0",
        "judged_at": _built_at(noticed, 0),
    }
