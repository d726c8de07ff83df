"""Builds a partition's files where no table shows them yet: content-addressed, claimed once, found again by a retry."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import ValidationError

from pipeline_assets.asset_specs import Zone
from pipeline_assets.local_files import local_files
from pipeline_assets.opened_ahead import opened_ahead
from sluice.contract import CODE_VERSION, FileFormat, Source
from sluice.derived_records import write_derived
from sluice.errors import StagedFilesMissing
from sluice.flagged_rows import write_flagged
from sluice.manifest import RawObject, build_manifest
from sluice.outcome import OUTCOME_NAME, ObjectBalance, Outcome, Redriven, StagedFile
from sluice.quarantine import copy_reasons
from sluice.redriving import compare
from sluice.stand_in import status_of
from sluice.transform import PUBLISHED_NAME, Limits, Transformed, transform
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline_assets.ports import Clock, Store
    from sluice.contract import Contract
    from sluice.manifest import Manifest

Place = tuple[str, str, Version]
"""Dataset, partition and version: what names a folder of staged files."""

_LIMITS = Limits()


def build_partition(
    *,
    contract: Contract,
    manifest: Manifest,
    store: Store,
    scratch: Path,
    run_id: str,
    clock: Clock,
    earlier: Outcome | None = None,
    stand_in: str | None = None,
) -> Outcome:
    """Return the staged outcome of a landed partition; work that an earlier run has staged is not done again.

    `earlier` is what is published: records that it has in quarantine keep their old reason beside the new one.
    `stand_in` says what it is if these objects are not its own.
    """
    if (staged := _reusable(store, contract, manifest)) is not None:
        return staged
    with _workspace(scratch) as workspace:
        started = clock.now()
        done = _transformed(contract, manifest, store, workspace, run_id)
        done = _flagged(done, contract, manifest.partition, stand_in)
        done, redriven = _redrive(done, earlier, contract, manifest, store)
        seconds = (clock.now() - started).total_seconds()
        return _claim(contract, manifest, done, store, run_id, seconds, stand_in, redriven)


def try_partition(
    *, contract: Contract, manifest: Manifest, store: Store, scratch: Path, earlier: Outcome
) -> tuple[Transformed, Redriven | None]:
    """Return what building a landed partition would come to, without its files; nothing is staged."""
    with _workspace(scratch) as workspace:
        done = _transformed(contract, manifest, store, workspace, "dry-run")
        return _redrive(done, earlier, contract, manifest, store)


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
    with _workspace(scratch) as workspace:
        started = clock.now()
        rows = workspace / "rows.parquet"
        with ExitStack() as stack:
            local = {
                name: (declared, stack.enter_context(local_files(store, files, workspace))())
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
            workspace,
            run_id=run_id,
            limits=_LIMITS,
        )
        done = _flagged(done, contract, manifest.partition, stand_in)
        seconds = (clock.now() - started).total_seconds()
        return _claim(contract, manifest, done, store, run_id, seconds, stand_in)


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
    with _workspace(scratch) as workspace:
        started = clock.now()
        target, (item,) = workspace / PUBLISHED_NAME, manifest.objects
        with local_files(store, [store.uri(file.key) for file in base.files], workspace) as files:
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
        seconds = (clock.now() - started).total_seconds()
        return _claim(contract, manifest, done, store, run_id, seconds, stand_in)


def fetch_outcome(store: Store, dataset: str, partition: str, version: Version) -> Outcome:
    """Return what is staged for a version; raises StagedFilesMissing when nothing is or one of its files is gone."""
    folder = _folder(Zone.PROCESSED, dataset, partition, version)
    try:
        with store.open(folder + OUTCOME_NAME) as opened:
            outcome = Outcome.model_validate_json(opened.read())
    except FileNotFoundError as error:
        raise StagedFilesMissing(key=folder, problem="was never staged to its end.") from error
    except ValidationError as error:  # cut off on its way here, or by a disk
        raise StagedFilesMissing(key=folder + OUTCOME_NAME, problem="cannot be read as what was written") from error
    for zone, files in ((Zone.PROCESSED, outcome.files), (Zone.QUARANTINE, outcome.quarantine_files)):
        present = {item.key: item.size for item in store.list(_folder(zone, dataset, partition, version))}
        for file in files:
            if present.get(file.key) != file.size_bytes:
                raise StagedFilesMissing(key=file.key, problem="is gone or has another size than when it was staged.")
    return outcome


def _reusable(store: Store, contract: Contract, manifest: Manifest) -> Outcome | None:
    try:
        return fetch_outcome(store, contract.dataset, manifest.partition, _version(contract, manifest))
    except StagedFilesMissing:  # then it is staged anew
        return None


def _transformed(contract: Contract, manifest: Manifest, store: Store, workspace: Path, run_id: str) -> Transformed:
    assert contract.source is not None  # noqa: S101  only landed datasets come here
    with opened_ahead(store, manifest.objects) as open_object:
        return transform(contract, contract.source, manifest, open_object, workspace, run_id=run_id, limits=_LIMITS)


def _flagged(done: Transformed, contract: Contract, partition: str, stand_in: str | None) -> Transformed:
    """Let the rows themselves say that they stand in; own data carry no such column."""
    if stand_in is None:
        return done
    target = done.published.with_name("flagged.parquet")
    write_flagged(contract, [str(done.published)], target, partition=partition, status=status_of(stand_in))
    return replace(done, published=target)


def _claim(
    contract: Contract,
    manifest: Manifest,
    done: Transformed,
    store: Store,
    run_id: str,
    seconds: float,
    stand_in: str | None,
    redriven: Redriven | None = None,
) -> Outcome:
    """Move the files to their place and write the outcome last; the first outcome of a version stands.

    A killed run leaves files that no outcome lists. File names are unique, so that a slower twin of this run
    can never replace a file that a table already shows.
    """
    version = _version(contract, manifest)
    place = (contract.dataset, manifest.partition, version)
    outcome = Outcome(
        dataset=contract.dataset,
        partition=manifest.partition,
        fingerprint=version.fingerprint,
        contract_version=contract.version,
        contract_fingerprint=version.contract,
        code_version=version.code,
        run_id=run_id,
        objects=done.objects,
        files=_put(done.published, done.records_published, Zone.PROCESSED, place, store),
        quarantine_files=_put(done.quarantine, done.records_quarantined, Zone.QUARANTINE, place, store),
        reasons=done.reasons,
        unknown_fields=done.unknown_fields,
        drift=done.drift,
        bytes_in=manifest.size_bytes,
        seconds=round(seconds, 3),
        stand_in=stand_in,
        redriven=redriven,
    )
    written = done.published.with_name(OUTCOME_NAME)
    written.write_text(outcome.model_dump_json(indent=1))
    if store.put(_folder(Zone.PROCESSED, *place) + OUTCOME_NAME, written, only_if_absent=True):
        return outcome
    return _settle(store, place, outcome, written)


def _redrive(
    done: Transformed, earlier: Outcome | None, contract: Contract, manifest: Manifest, store: Store
) -> tuple[Transformed, Redriven | None]:
    """Compare with what was in quarantine before; without such records there is nothing to compare."""
    if earlier is None or earlier.stand_in or not earlier.quarantine_files:
        return done, None
    before = done.quarantine.with_name("earlier.parquet")
    try:
        copy_reasons([partial(store.open, file.key) for file in earlier.quarantine_files], before)
    except FileNotFoundError:  # taken away since: then nobody can say what became of them
        return done, None
    if (earlier.contract_fingerprint, earlier.code_version) == (contract.fingerprint, CODE_VERSION):
        # The same rules give the same reasons: told beside each other they would only be noise.
        return done, compare(done.quarantine, before, manifest, earlier.version)
    target = done.quarantine.with_name("quarantine-redriven.parquet")
    redriven = compare(done.quarantine, before, manifest, earlier.version, target)
    return replace(done, quarantine=target), redriven


def _settle(store: Store, place: Place, outcome: Outcome, written: Path) -> Outcome:
    """Another run claimed this version first: its outcome stands, unless its files have gone since."""
    try:
        return fetch_outcome(store, *place)
    except StagedFilesMissing:
        written.write_text(outcome.model_dump_json(indent=1))
        store.put(_folder(Zone.PROCESSED, *place) + OUTCOME_NAME, written)
        return outcome


def _put(file: Path, records: int, zone: Zone, place: Place, store: Store) -> tuple[StagedFile, ...]:
    """Store a file that holds records; an empty one is not kept, for a table's metadata has no use for it."""
    if not records:
        return ()
    key, size = f"{_folder(zone, *place)}part-00000-{uuid4().hex[:8]}.parquet", file.stat().st_size
    store.put(key, file)
    return (StagedFile(key=key, records=records, size_bytes=size),)


def _folder(zone: Zone, dataset: str, partition: str, version: Version) -> str:
    return f"{zone}/{dataset}/date={partition}/{version}/"


def _version(contract: Contract, manifest: Manifest) -> Version:
    return Version(manifest.fingerprint, contract.fingerprint, CODE_VERSION)


@contextmanager
def _workspace(scratch: Path) -> Iterator[Path]:
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch, prefix="transform-") as folder:
        yield Path(folder)
