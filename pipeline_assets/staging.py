"""Builds a partition's files where no table shows them yet: content-addressed, claimed once, found again by a retry."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipeline_assets.asset_specs import Zone
from pipeline_assets.fragment_reuse import find_reuse, note_newest
from pipeline_assets.fragments import MERGE_RULES, assemble, put_fragments
from pipeline_assets.local_files import local_files
from pipeline_assets.opened_ahead import opened_ahead
from pipeline_assets.spark_jobs import run_on_spark
from pipeline_assets.staged_folder import claim, fetch_outcome, put_file
from sluice.contract import CODE_VERSION, FileFormat, Source
from sluice.derived_records import write_derived
from sluice.duckdb_sessions import Limits, connect
from sluice.errors import StagedFilesMissing
from sluice.flagged_rows import write_flagged
from sluice.fragments.piece import rows_of
from sluice.fragments.reuse import is_divisible, same_rules
from sluice.manifest import RawObject, build_manifest
from sluice.outcome import OUTCOME_NAME, ObjectBalance, Outcome, Redriven
from sluice.quarantine import QuarantineFile, copy_reasons
from sluice.redriving import compare, compare_objects
from sluice.stand_in import status_of
from sluice.transform import PUBLISHED_NAME, Transformed, transform
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pipeline_assets.fragments import Assembled
    from pipeline_assets.ports import Clock, Store
    from pipeline_assets.staged_folder import Place
    from sluice.contract import Contract
    from sluice.duckdb_sessions import Connect
    from sluice.fragments.merge_plan import MergeRules
    from sluice.manifest import Manifest
    from sluice.outcome import Fragment, StagedFile
    from sluice.spark.job import Built

__all__ = ["build_derived", "build_partition", "build_placeholder", "fetch_outcome", "try_partition"]

_LIMITS = Limits()


def build_partition(  # noqa: PLR0913  two of them only tests and benches give
    *,
    contract: Contract,
    manifest: Manifest,
    store: Store,
    scratch: Path,
    run_id: str,
    clock: Clock,
    earlier: Outcome | None = None,
    stand_in: str | None = None,
    merge_rules: MergeRules = MERGE_RULES,
    connect: Connect = connect,
    spark: Callable[[str], None] | None = None,
) -> Outcome:
    """Return the staged outcome of a landed partition; work that an earlier run has staged is not done again.

    `earlier` is what is published: what its objects came to is taken over as far as they are still the same, and
    records that it has in quarantine keep their old reason beside the new one.
    `stand_in` says what it is if these objects are not its own.
    `spark` runs the job at a key of the store; without it DuckDB builds.
    """
    if (staged := _reusable(store, contract, manifest)) is not None:
        return staged
    with _work(contract, manifest, store, scratch, run_id, clock, connect) as work:
        if spark is not None and stand_in is None:
            return _build_on_spark(work, earlier, spark)
        if stand_in is None and is_divisible(contract):
            return _build_from_fragments(work, earlier, merge_rules)
        done = _flagged(work.parse(manifest), contract, manifest.partition, stand_in)
        quarantine, redriven = work.redrive([str(done.quarantine)], earlier)
        return work.claim_whole(replace(done, quarantine=quarantine or done.quarantine), stand_in, redriven)


def _build_from_fragments(work: _Work, earlier: Outcome | None, rules: MergeRules) -> Outcome:
    contract, manifest, store = work.contract, work.manifest, work.store
    reuse = find_reuse(store, contract, manifest, earlier)
    assembled = assemble(contract, manifest, reuse, work.parse, store, work.workspace, rules)
    quarantine, redriven = work.redrive(assembled.quarantine, earlier, assembled.objects)
    fragments = put_fragments(assembled, work.place, store)
    own = tuple(item.quarantine for item in fragments if item.quarantine)
    outcome = work.claim(
        assembled,
        tuple(item.published for item in fragments if item.published),
        own if quarantine is None else work.put(quarantine, rows_of(quarantine), Zone.QUARANTINE),
        redriven=redriven,
        fragments=fragments,
        objects_parsed=assembled.objects_parsed,
    )
    note_newest(store, outcome, work.workspace)
    return outcome


def _build_on_spark(work: _Work, earlier: Outcome | None, spark: Callable[[str], None]) -> Outcome:
    built = run_on_spark(work.contract, work.manifest, work.place, work.store, work.workspace, work.run_id, spark)
    quarantine_files = built.quarantine_files
    with local_files(work.store, [work.store.uri(item.key) for item in quarantine_files], work.workspace) as paths:
        redriven_file, redriven = work.redrive(paths() if earlier else (), earlier, built.objects)
    if redriven_file is not None:
        quarantine_files = work.put(redriven_file, rows_of(redriven_file), Zone.QUARANTINE)
    return work.claim(built, built.files, quarantine_files, redriven=redriven)


def try_partition(
    *, contract: Contract, manifest: Manifest, store: Store, scratch: Path, earlier: Outcome, clock: Clock
) -> tuple[Transformed, Redriven | None]:
    """Return what building a landed partition would come to, without its files; nothing is staged."""
    with _work(contract, manifest, store, scratch, "dry-run", clock) as work:
        done = work.parse(manifest)
        return done, work.redrive([str(done.quarantine)], earlier)[1]


def build_derived(
    *,
    contract: Contract,
    manifest: Manifest,
    inputs: Mapping[str, tuple[Contract, Sequence[str]]],
    store: Store,
    scratch: Path,
    run_id: str,
    clock: Clock,
    stand_in: str | None = None,
) -> Outcome:
    """Return the staged outcome of a derived partition; the rows of its query are checked as landed records are.

    `stand_in` says which of the inputs show a stand-in.
    """
    if (staged := _reusable(store, contract, manifest)) is not None:
        return staged
    with _work(contract, manifest, store, scratch, run_id, clock) as work:
        rows = work.workspace / "rows.parquet"
        with ExitStack() as stack:
            local = {
                name: (declared, stack.enter_context(local_files(store, files, work.workspace))())
                for name, (declared, files) in inputs.items()
            }
            write_derived(contract, local, rows, _LIMITS)
        item = RawObject(key="transform.sql", etag=manifest.fingerprint, size=rows.stat().st_size)
        seen = build_manifest(contract.dataset, manifest.partition, (item,))
        done = transform(
            contract,
            Source("", FileFormat.PARQUET),
            seen,
            lambda _: rows.open("rb"),
            work.workspace,
            run_id=run_id,
            limits=_LIMITS,
        )
        return work.claim_whole(_flagged(done, contract, manifest.partition, stand_in), stand_in)


def build_placeholder(
    *,
    contract: Contract,
    manifest: Manifest,
    base: Outcome,
    stand_in: str,
    store: Store,
    scratch: Path,
    run_id: str,
    clock: Clock,
) -> Outcome:
    """Return the staged outcome of a partition that shows the rows of another one, flagged."""
    if (staged := _reusable(store, contract, manifest)) is not None:
        return staged
    fetch_outcome(store, base.dataset, base.partition, base.version)  # its files are there, and whole
    with _work(contract, manifest, store, scratch, run_id, clock) as work:
        target, (item,) = work.workspace / PUBLISHED_NAME, manifest.objects
        with local_files(store, [store.uri(file.key) for file in base.files], work.workspace) as files:
            rows = write_flagged(contract, files(), target, partition=manifest.partition, status=status_of(stand_in))
        balance = ObjectBalance(
            key=item.key, etag=item.etag, records_in=rows, published=rows, quarantined=0, duplicates=0
        )
        done = Transformed(
            published=target,
            quarantine=target,
            objects=(balance,),
            reasons=(),
            unknown_fields=(),
            records_published=rows,
            records_quarantined=0,
        )
        return work.claim_whole(done, stand_in)


def _reusable(store: Store, contract: Contract, manifest: Manifest) -> Outcome | None:
    version = Version(manifest.fingerprint, contract.fingerprint, CODE_VERSION)
    try:
        return fetch_outcome(store, contract.dataset, manifest.partition, version)
    except StagedFilesMissing:  # then it is staged anew
        return None


def _flagged(done: Transformed, contract: Contract, partition: str, stand_in: str | None) -> Transformed:
    """Let the rows themselves say that they stand in; own data carry no such column."""
    if stand_in is None:
        return done
    target = done.published.with_name("flagged.parquet")
    write_flagged(contract, [str(done.published)], target, partition=partition, status=status_of(stand_in))
    return replace(done, published=target)


@dataclass(frozen=True, slots=True)
class _Work:
    """One build in its workspace, an empty folder that ends with it."""

    contract: Contract
    manifest: Manifest
    store: Store
    workspace: Path
    run_id: str
    clock: Clock
    started_at: datetime
    connect: Connect

    @property
    def place(self) -> Place:
        version = Version(self.manifest.fingerprint, self.contract.fingerprint, CODE_VERSION)
        return self.contract.dataset, self.manifest.partition, version

    def parse(self, manifest: Manifest) -> Transformed:
        assert self.contract.source is not None  # noqa: S101  only landed datasets come here
        with opened_ahead(self.store, manifest.objects) as open_object:
            return transform(
                self.contract,
                self.contract.source,
                manifest,
                open_object,
                self.workspace,
                run_id=self.run_id,
                limits=_LIMITS,
                connect=self.connect,
                with_keys=is_divisible(self.contract),
            )

    def redrive(
        self, quarantine: Sequence[str], earlier: Outcome | None, objects: tuple[ObjectBalance, ...] = ()
    ) -> tuple[Path | None, Redriven | None]:
        """Compare with what was in quarantine before; without such records there is nothing to compare.

        Under other rules, also return a file of all that is in quarantine now, with the reasons from before. Under the
        same ones the balances of `objects` say enough, if the rules judge each record by itself; else leave them out.
        """
        if earlier is None or earlier.stand_in or not earlier.quarantine_files:
            return None, None
        if objects and same_rules(self.contract, earlier):
            redriven = compare_objects(objects, earlier)
            if redriven is not None:
                return None, redriven
        before = self.workspace / "earlier.parquet"
        try:
            copy_reasons([partial(self.store.open, file.key) for file in earlier.quarantine_files], before)
        except FileNotFoundError:  # taken away since: then nobody can say what became of them
            return None, None
        now = quarantine or [self._nothing_rejected()]
        if same_rules(self.contract, earlier):
            # The same rules give the same reasons: told beside each other they would only be noise.
            return None, compare(now, before, self.manifest, earlier.version)
        target = self.workspace / "quarantine-redriven.parquet"
        return target, compare(now, before, self.manifest, earlier.version, target)

    def claim_whole(self, done: Transformed, stand_in: str | None, redriven: Redriven | None = None) -> Outcome:
        """Stage what was built in one piece."""
        published = self.put(done.published, done.records_published, Zone.PROCESSED)
        quarantine = self.put(done.quarantine, done.records_quarantined, Zone.QUARANTINE)
        return self.claim(done, published, quarantine, stand_in=stand_in, redriven=redriven)

    def put(self, path: Path, records: int, zone: Zone) -> tuple[StagedFile, ...]:
        file = put_file(path, records, zone, self.place, self.store, name="part-00000")
        return () if file is None else (file,)

    def claim(
        self,
        told: Transformed | Assembled | Built,
        files: tuple[StagedFile, ...],
        quarantine_files: tuple[StagedFile, ...],
        *,
        stand_in: str | None = None,
        redriven: Redriven | None = None,
        fragments: tuple[Fragment, ...] = (),
        objects_parsed: int | None = None,
    ) -> Outcome:
        dataset, partition, version = self.place
        outcome = Outcome(
            dataset=dataset,
            partition=partition,
            fingerprint=version.fingerprint,
            contract_version=self.contract.version,
            contract_fingerprint=version.contract,
            code_version=version.code,
            run_id=self.run_id,
            objects=told.objects,
            files=files,
            quarantine_files=quarantine_files,
            reasons=told.reasons,
            unknown_fields=told.unknown_fields,
            drift=told.drift,
            bytes_in=self.manifest.size_bytes,
            seconds=round((self.clock.now() - self.started_at).total_seconds(), 3),
            stand_in=stand_in,
            redriven=redriven,
            fragments=fragments,
            objects_parsed=objects_parsed,
        )
        return claim(outcome, self.store, self.workspace / OUTCOME_NAME)

    def _nothing_rejected(self) -> str:
        path = self.workspace / "nothing-rejected.parquet"
        with QuarantineFile(path, self.manifest, contract_version="", run_id=""):
            return str(path)


@contextmanager
def _work(
    contract: Contract,
    manifest: Manifest,
    store: Store,
    scratch: Path,
    run_id: str,
    clock: Clock,
    connect: Connect = connect,
) -> Iterator[_Work]:
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch, prefix="transform-") as folder:
        yield _Work(contract, manifest, store, Path(folder), run_id, clock, clock.now(), connect)
