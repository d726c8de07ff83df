"""Performs the maintenance of one table; safe beside running writers, and to be killed and repeated anywhere."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

from pipeline_assets.asset_specs import Zone
from pipeline_assets.condemned import fetch_condemned, replace_condemned
from pipeline_assets.relisting import Relisting
from pipeline_assets.stored import fetch_needed, fetch_stored
from sluice.errors import CompactionUnfaithful
from sluice.maintenance.compaction import choose_merges
from sluice.maintenance.expiry import choose_expired
from sluice.maintenance.plan import Plan
from sluice.maintenance.report import Report
from sluice.maintenance.sweeping import Sweep, judge_stored
from sluice.maintenance.table_state import TableState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from pipeline_assets.condemned import Condemned
    from pipeline_assets.ports import Clock, Ledger, SweptStore, Upkeep
    from sluice.contract import Contract
    from sluice.maintenance.compaction import Merge


@dataclass(frozen=True, slots=True)
class Maintenance:
    store: SweptStore
    ledger: Ledger
    upkeep: Upkeep
    clock: Clock
    scratch: Path

    def plan(self, contract: Contract) -> Plan:
        """Return what there is to do, without doing it."""
        now, policy, state = self.clock.now(), contract.maintenance, self._state(contract)
        expired = choose_expired(state, policy, now)
        return Plan(
            dataset=contract.dataset,
            merges=choose_merges(state, policy, now),
            expired=expired,
            kept=len(state.commits) - len(expired),
            missing=self.upkeep.tables.missing(contract.dataset),
            sweep=self._judge(contract)[0],
        )

    def perform(self, contract: Contract, rebuild: Callable[[Sequence[str]], None]) -> Report:
        """Do all there is to do; `rebuild` builds and publishes partitions, or fails to."""
        report = self._repair(contract, rebuild)
        report = self._compact(contract, self._relist(contract, report))
        report = self._expire(contract, report)
        report = self._sweep(contract, report)
        if report.versions_withdrawn:  # one of them may have been published in the meantime
            report = self._relist(contract, report)
        after = self._state(contract)
        return replace(
            report, files=len(after.files), snapshots_kept=len(after.commits), metadata_bytes=after.metadata_bytes
        )

    def clear_workspaces(self, grace: timedelta) -> int:
        """Remove what runs left that nobody has written to for `grace`; return how many there were."""
        left = self.upkeep.workspaces.left(self.clock.now() - grace)
        for item in left:
            self.upkeep.workspaces.remove(item)
        return len(left)

    def _repair(self, contract: Contract, rebuild: Callable[[Sequence[str]], None]) -> Report:
        missing = {file.partition for file in self.upkeep.tables.missing(contract.dataset)}
        if missing:
            rebuild(sorted(missing))
        lost = {file.partition for file in self.upkeep.tables.missing(contract.dataset)} if missing else set()
        return Report(contract.dataset, rebuilt=tuple(sorted(missing - lost)), lost=tuple(sorted(lost)))

    def _relist(self, contract: Contract, report: Report) -> Report:
        done = Relisting(self.store, self.ledger, self.scratch).relist(self._state(contract), report.lost)
        return replace(report, relisted=tuple(sorted({*report.relisted, *done})))

    def _compact(self, contract: Contract, report: Report) -> Report:
        state = self._state(contract)
        chosen = choose_merges(state, contract.maintenance, self.clock.now())
        merges = [merge for merge in chosen if merge.partition not in report.lost]
        written, problems = self._write(contract, merges)
        done = self.upkeep.tables.compact(contract.dataset, written) if written else ()
        if done:
            Relisting(self.store, self.ledger, self.scratch).relist(self._state(contract), report.lost)
        sizes = {item.key: item.size_bytes for item in self._state(contract).files} if done else {}
        return replace(
            report,
            problems=problems,
            given_up=tuple(sorted({merge.partition for merge in written if merge not in done})),
            merged_files=sum(len(merge.files) for merge in done),
            merged_bytes=sum(merge.size_bytes for merge in done),
            compacted_files=len(done),
            compacted_bytes=sum(sizes.get(written[merge], 0) for merge in done),
            metadata_bytes_before=state.metadata_bytes,
        )

    def _write(self, contract: Contract, merges: Sequence[Merge]) -> tuple[dict[Merge, str], tuple[str, ...]]:
        """Write each merge's file where no table shows it yet; return their keys, and why some were not written."""
        written, problems = {}, []
        for merge in merges:
            try:
                written[merge] = self._write_one(contract, merge)
            except CompactionUnfaithful as error:  # the others can be, and the report tells of this one
                problems.append(f"{contract.dataset}: {error}")
        return written, tuple(problems)

    def _write_one(self, contract: Contract, merge: Merge) -> str:
        from sluice.maintenance.rewriting import rewrite  # loads DuckDB and pyarrow

        folder = f"{Zone.PROCESSED}/{contract.dataset}/date={merge.partition}/{merge.version}/"
        key = f"{folder}compacted-{uuid4().hex[:8]}.parquet"
        self.scratch.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.scratch, prefix="compaction-") as workspace:
            sources = [Path(workspace) / f"{number:05}.parquet" for number in range(len(merge.files))]
            for file, copy in zip(merge.files, sources, strict=True):
                with self.store.open(file.key) as opened, copy.open("wb") as local:
                    shutil.copyfileobj(opened, local)
            target = Path(workspace) / "compacted.parquet"
            rewrite(sources, target, sort_by=contract.sort_by, partition=f"{contract.dataset} {merge.partition}")
            self.store.put(key, target)
        return key

    def _expire(self, contract: Contract, report: Report) -> Report:
        before = self._state(contract)
        self.upkeep.tables.expire(contract.dataset, choose_expired(before, contract.maintenance, self.clock.now()))
        known = {item.snapshot_id for item in self._state(contract).commits}
        return replace(report, snapshots_expired=sum(item.snapshot_id not in known for item in before.commits))

    def _sweep(self, contract: Contract, report: Report) -> Report:
        sweep, before = self._judge(contract)
        report = replace(report, problems=(*report.problems, *(_unreadable(key) for key in sweep.unreadable)))
        if sweep.condemned == before.since and not sweep.withdrawn and not sweep.removed:
            return replace(report, files_condemned=len(sweep.condemned), bytes_condemned=sweep.condemned_bytes)
        if not replace_condemned(self.store, contract.dataset, before, sweep.condemned, self.scratch):
            return replace(report, overtaken=True)
        for file in (*sweep.withdrawn, *sweep.removed):
            self.store.remove(file.key)
        removed_bytes = sum(file.size_bytes for file in sweep.removed)
        return replace(
            report,
            versions_withdrawn=len(sweep.withdrawn),
            files_condemned=len(sweep.condemned) - len(sweep.removed),
            bytes_condemned=sweep.condemned_bytes - removed_bytes,
            files_removed=len(sweep.removed),
            bytes_removed=removed_bytes,
        )

    def _judge(self, contract: Contract) -> tuple[Sweep, Condemned]:
        """The list of the condemned is read first: whoever writes it meanwhile is noticed."""
        before = fetch_condemned(self.store, contract.dataset)
        state = self._state(contract)
        stored = fetch_stored(self.store, contract.dataset, state.folder)
        # What is needed is asked for last: what was published since the listing counts.
        references = self.upkeep.tables.references(contract.dataset)
        needed = fetch_needed(self._state(contract), references, stored, self.ledger)
        return judge_stored(stored, needed, before.since, contract.maintenance.grace, self.clock.now()), before

    def _state(self, contract: Contract) -> TableState:
        return self.upkeep.tables.state(contract.dataset) or TableState(contract.dataset, {}, (), ())


def _unreadable(key: str) -> str:
    return f"{key} cannot be read, so nothing of its partition was removed. Build the partition anew: sluice run"
