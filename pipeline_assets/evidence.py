"""What the gates on staged files judge by: the profile, history, expectations, references, scans."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipeline_assets.asset_specs import Zone
from pipeline_assets.local_files import local_files
from pipeline_assets.raw_gates import fetch_control
from sluice.completeness import control_etags, control_key
from sluice.contract import rules_fingerprint_of
from sluice.cost.scan import scan
from sluice.duckdb_sessions import Limits, connect
from sluice.expectations.judging import judge_expectations
from sluice.gates.evidence import ReferenceSeen, StagedEvidence
from sluice.profile import measure
from sluice.profile_text import profile_text, read_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline_assets.ports import Clock, ExpectationEngine, Ledger, Prices, Settings, Store, Tables
    from sluice.contract import Contract
    from sluice.cost.scan import QueryScan
    from sluice.duckdb_sessions import Connect
    from sluice.expectations.results import Results
    from sluice.outcome import Outcome
    from sluice.profile import Profile

    Paths = Callable[[], list[str]]

_HISTORY_PARTITIONS = 180


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The ports of one step, as far as gates need to know something of them."""

    store: Store
    ledger: Ledger
    tables: Tables
    clock: Clock
    prices: Prices
    settings: Settings
    expectation_engine: ExpectationEngine
    connect: Connect = connect

    def fetch(self, contract: Contract, outcome: Outcome) -> StagedEvidence:
        """Return everything the gates on a staged outcome may ask for."""
        partition, control = outcome.partition, control_key(contract, outcome.partition)
        with self._local(outcome) as paths:
            profile = self._fetch_profile(contract, outcome, paths)
            expectations = self._judge_expectations(contract, outcome, paths) if contract.expectations else None
        return StagedEvidence(
            contract=contract,
            outcome=outcome,
            profile=profile,
            history=self.ledger.history(contract.dataset, partition, _HISTORY_PARTITIONS),
            acceptances=self.ledger.acceptances(contract.dataset),
            expectations=expectations,
            references=tuple(self._fetch_reference(item.dataset, partition) for item in contract.gates.references),
            scans=self._scans(contract, partition, profile) if contract.cost.queries else (),
            control=None if control is None else fetch_control(control, self.store),
            control_etags=control_etags(contract, partition, self.store.etag),
        )

    def fetch_profile(self, contract: Contract, outcome: Outcome) -> Profile:
        """Return the profile of a staged version, measured once under the same rules."""
        with self._local(outcome) as paths:
            return self._fetch_profile(contract, outcome, paths)

    def _fetch_profile(self, contract: Contract, outcome: Outcome, paths: Paths) -> Profile:
        key = f"{_folder(Zone.PROCESSED, outcome)}_profile-{rules_fingerprint_of(contract)}.json"
        if (known := self._fetch_known_profile(key)) is not None:
            return known
        with self._workspace() as workspace:
            profile = measure(contract, outcome, paths(), Path(workspace), self.connect)
        self._put_text(profile_text(profile), key)
        return profile

    def _fetch_known_profile(self, key: str) -> Profile | None:
        try:
            with self.store.open(key) as opened:
                return read_profile(opened.read())
        except (FileNotFoundError, ValueError, KeyError, TypeError):  # not there, or not whole: then it is measured
            return None

    def _judge_expectations(self, contract: Contract, outcome: Outcome, paths: Paths) -> Results:
        """Judge, and store suite and result beside each other for the data docs."""
        # Rules written by people may change settings, so they get a database of their own.
        with self._workspace() as workspace, connect(Path(workspace), Limits()) as connection:
            results = judge_expectations(
                contract,
                outcome.partition,
                paths(),
                version=str(outcome.version),
                judged_at=self.clock.now(),
                connection=connection,
                rest=self.expectation_engine.judge,
            )
        folder = _folder("quality", outcome)
        self._put_text(results.suite.encode(), f"{folder}suite.json")
        self._put_text(results.validation.encode(), f"{folder}validation.json")
        return results

    def _fetch_reference(self, dataset: str, partition: str) -> ReferenceSeen:
        newest = max((day for day in self.ledger.first_published(dataset) if day <= partition), default=None)
        if newest is None:
            return ReferenceSeen(dataset, None, None)
        published = self.ledger.published(dataset, newest)
        version = str(published.outcome.version) if published else None
        return ReferenceSeen(dataset, date.fromisoformat(newest), version)

    def _scans(self, contract: Contract, partition: str, profile: Profile) -> tuple[QueryScan, ...]:
        """Price the reference queries as if this partition were published."""
        sizes = {**self.tables.column_bytes(contract.dataset), partition: profile.column_bytes}
        return tuple(scan(query, contract, partition, sizes, self.prices) for query in contract.cost.queries)

    @contextmanager
    def _local(self, outcome: Outcome) -> Iterator[Paths]:
        self.settings.scratch.mkdir(parents=True, exist_ok=True)
        with local_files(
            self.store, [self.store.uri(file.key) for file in outcome.files], self.settings.scratch
        ) as paths:
            yield paths

    def _put_text(self, text: bytes, key: str) -> None:
        with self._workspace() as workspace:
            written = Path(workspace) / "text"
            written.write_bytes(text)
            self.store.put(key, written)

    def _workspace(self) -> TemporaryDirectory[str]:
        self.settings.scratch.mkdir(parents=True, exist_ok=True)
        return TemporaryDirectory(dir=self.settings.scratch, prefix="gates-")


def _folder(zone: str, outcome: Outcome) -> str:
    return f"{zone}/{outcome.dataset}/date={outcome.partition}/{outcome.version}/"
