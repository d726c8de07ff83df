"""A sandbox that holds exactly what an incident's partition was built from; of the user's home nothing is changed."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline_assets.cli.sandbox import prepare_sandbox, sandbox_variables
from sluice.contract import CODE_VERSION
from sluice.contract_file import read_contract
from sluice.errors import ReplayRefused, StagedFilesMissing
from sluice.history import Published
from sluice.replaced import replaced_key
from sluice.version import NOT_READ, Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from pipeline_assets.cli.environment import Environment
    from sluice.contract import Contract
    from sluice.contract_text import ContractText
    from sluice.healing.incident import Incident
    from sluice.manifest import Manifest
    from sluice.outcome import Outcome

_AGE_SECONDS = 3600
"""How old copies look: what was written a moment ago waits to be settled."""

_HISTORY_PARTITIONS = 180


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a partition was built from: a manifest of landed objects, or the staged outcomes of its input tables."""

    manifest: Manifest | None = None
    outcomes: tuple[Outcome, ...] = ()

    def __str__(self) -> str:
        if self.manifest is not None:
            return f"{len(self.manifest.objects):,} objects, {self.manifest.size_bytes:,} bytes"
        return ", ".join(f"{item.dataset} {item.version}" for item in self.outcomes)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The sandbox; `notes` tell in what it is not the world of then."""

    environment: Environment
    contract: Contract
    inputs: Inputs
    notes: tuple[str, ...]


def rebuild(environment: Environment, incident: Incident) -> Rebuilt:
    """Make the sandbox; raises ReplayRefused when the incident's inputs are not known or not there any more."""
    version = _version_of(incident)
    tried_at = _tried_at(environment, incident)
    contract, notes = _contract_then(environment, incident, version, tried_at)
    if version.code != CODE_VERSION:
        notes = (*notes, f"The code had version {version.code} then, today it has {CODE_VERSION}: went on with it.")
    inputs = _find_inputs(environment, incident, contract, version)
    places = {} if inputs.manifest is None else _places(environment, inputs.manifest)
    home = Path(tempfile.mkdtemp(prefix=f"sluice-incident-{incident.number}-"))
    try:
        sandbox = _furnish(environment, incident, contract, inputs, places, home, tried_at)
    except BaseException:
        shutil.rmtree(home)
        raise
    return Rebuilt(sandbox, contract, inputs, notes)


def _furnish(
    environment: Environment,
    incident: Incident,
    contract: Contract,
    inputs: Inputs,
    places: Mapping[str, str],
    home: Path,
    tried_at: datetime,
) -> Environment:
    """Put contracts, objects, input tables and what gates remember into the sandbox's home."""
    contracts = {**environment.contracts, incident.dataset: contract}
    for outcome in inputs.outcomes:
        contracts[outcome.dataset] = _input_contract(environment, outcome)
    texts = {name: item.text for name, item in contracts.items()}
    sandbox = prepare_sandbox(home, texts, sandbox_variables(home, environment.environ, {}))
    _write_transforms(home, contracts)
    for key, place in {**places, **_beside(environment, contract, incident.partition)}.items():
        _copy(environment, place, home / key)
    for sequence, outcome in enumerate(inputs.outcomes, start=1):
        _publish(environment, sandbox, contracts[outcome.dataset], outcome, sequence, tried_at)
    _copy_history(environment, sandbox, contract, incident, tried_at)
    return sandbox


def _version_of(incident: Incident) -> Version:
    try:
        version = Version.parse(incident.version)
    except ValueError:
        version = Version(NOT_READ, "", "")
    if version.fingerprint == NOT_READ or _is_pull(version):
        raise ReplayRefused(
            problem=f"incident {incident.number} is about nothing that was read: no inputs are known of it",
            cure=f"What happened: sluice incidents show {incident.number}",
        )
    return version


def _is_pull(version: Version) -> bool:
    from sluice.pulling.schedule import is_pull

    return is_pull(version.fingerprint)


def _tried_at(environment: Environment, incident: Incident) -> datetime:
    """An incident lasts over many tries; the last of them is what it tells of."""
    tries = environment.ledger.attempts(incident.dataset, incident.partition, incident.version)
    mine = [item.started_at for item in tries if item.run_id == incident.run_id]
    return mine[-1] if mine else incident.detected_at


def _contract_then(
    environment: Environment, incident: Incident, version: Version, tried_at: datetime
) -> tuple[Contract, tuple[str, ...]]:
    kept = [
        item
        for item in environment.ledger.contract_texts(incident.dataset)
        if item.fingerprint == version.contract and item.used_since <= tried_at
    ]
    if kept:
        return _read(kept[-1]), ()
    today = environment.contract(incident.dataset)
    return today, (f"The contract of then ({version.contract}) was not kept: went on with today's, {today.version}.",)


def _read(text: ContractText) -> Contract:
    return read_contract(text.text, path=f"{text.dataset}/contract.yaml", transform_sql=text.transform_sql)


def _find_inputs(environment: Environment, incident: Incident, contract: Contract, version: Version) -> Inputs:
    if contract.transform_sql is not None:
        return Inputs(outcomes=_find_tables(environment, contract, incident, version))
    place = incident.dataset, incident.partition
    for arrival in reversed(environment.ledger.arrivals(*place)):
        if arrival.fingerprint == version.fingerprint:
            return Inputs(manifest=environment.ledger.manifest_at(*place, arrival.sequence))
    raise ReplayRefused(
        problem=f"the ledger does not remember what {' '.join(place)} had then ({version.fingerprint})",
        cure="It remembers since it was upgraded to keep history; later incidents can be replayed.",
    )


def _find_tables(
    environment: Environment, contract: Contract, incident: Incident, version: Version
) -> tuple[Outcome, ...]:
    """Find the versions of the input tables whose fingerprint is the incident's, among those that are still staged."""
    from sluice.derivation import derived_manifest, inputs_of

    day, names = incident.partition, inputs_of(contract, {**environment.contracts, contract.dataset: contract})
    staged = [list(_staged(environment, name, day)) for name in names]
    for outcomes in product(*staged):
        versions = {item.dataset: item.version for item in outcomes}
        if derived_manifest(contract.dataset, day, versions).fingerprint == version.fingerprint:
            return outcomes
    raise ReplayRefused(
        problem=f"what {contract.dataset} {day} was made of then is not staged any more",
        cure=f"Replay its inputs as of then: sluice replay {names[0]} --from {day} --as-of TIME --dry-run",
    )


def _staged(environment: Environment, dataset: str, day: str) -> Iterator[Outcome]:
    from pipeline_assets.staging import fetch_outcome

    prefix = f"processed/{dataset}/date={day}/"
    folders = {item.key.removeprefix(prefix).partition("/")[0] for item in environment.store.list(prefix)}
    held = environment.tables.held(dataset, day)
    # A version without rows, or whose files lie in another's folder, has no file that is listed.
    known = {
        str(Version(arrival.fingerprint, text.fingerprint, CODE_VERSION))
        for arrival in environment.ledger.arrivals(dataset, day)
        for text in environment.ledger.contract_texts(dataset)
    }
    versions = folders | known | ({str(held.version)} if held else set())
    for name in sorted(versions):
        try:
            yield fetch_outcome(environment.store, dataset, day, Version.parse(name))
        except (StagedFilesMissing, ValueError):  # never finished, or not a version's folder
            continue


def _input_contract(environment: Environment, outcome: Outcome) -> Contract:
    texts = environment.ledger.contract_texts(outcome.dataset)
    kept = [item for item in texts if item.fingerprint == outcome.contract_fingerprint]
    return _read(kept[-1]) if kept else environment.contract(outcome.dataset)


def _places(environment: Environment, manifest: Manifest) -> Mapping[str, str]:
    """Return key -> where its bytes are; raises ReplayRefused, which names those that are nowhere."""
    store, places, lost = environment.store, {}, []
    for item in manifest.objects:
        kept = replaced_key(item.key, item.etag)
        found = next((key for key in (item.key, kept) if store.etag(key) == item.etag), None)
        if found is None:
            lost.append(item.key)
        else:
            places[item.key] = found
    if lost:
        raise ReplayRefused(
            problem=f"objects are no longer what they were then: {', '.join(lost)}",
            cure="Restore them from a backup (sluice land --replace keeps what it replaces).",
        )
    return places


def _beside(environment: Environment, contract: Contract, partition: str) -> Mapping[str, str]:
    """Return what completeness and pulls look at beside the objects, as it is now: key -> key."""
    from sluice.completeness import control_key, marker_key
    from sluice.pulling.note import note_key

    keys = [control_key(contract, partition), marker_key(contract, partition)]
    if contract.source and contract.source.pull:
        keys.append(note_key(contract.dataset, partition))
    return {key: key for key in keys if key is not None and environment.store.etag(key) is not None}


def _write_transforms(home: Path, contracts: Mapping[str, Contract]) -> None:
    from resources.contract_folders import TRANSFORM_NAME

    for name, contract in contracts.items():
        if contract.transform_sql is not None:
            (home / "datasets" / name / TRANSFORM_NAME).write_text(contract.transform_sql, encoding="utf-8")


def _copy(environment: Environment, key: str, target: Path) -> None:
    """A link would change the original's inode, which sweeps look at."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with environment.store.open(key) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
    landed = environment.clock.now().timestamp() - _AGE_SECONDS
    os.utime(target, (landed, landed))


def _publish(
    environment: Environment,
    sandbox: Environment,
    contract: Contract,
    outcome: Outcome,
    sequence: int,
    published_at: datetime,
) -> None:
    for file in (*outcome.files, *outcome.quarantine_files):
        _copy(environment, file.key, sandbox.settings.home / file.key)
    publication = sandbox.tables.publish(contract, outcome, sequence)
    sandbox.ledger.record(Published(outcome, publication.held.snapshot_id, published_at))


def _copy_history(
    environment: Environment, sandbox: Environment, contract: Contract, incident: Incident, tried_at: datetime
) -> None:
    """Let learned limits and references see what they saw: metrics of earlier dates, references published by then."""
    days: dict[str, dict[str, float]] = {}
    history = environment.ledger.history(incident.dataset, incident.partition, _HISTORY_PARTITIONS)
    for metric, values in history.items():
        for day, value in values:
            days.setdefault(day, {})[metric] = value
    for day, metrics in days.items():
        sandbox.ledger.record_metrics(incident.dataset, day, metrics)
    for reference in contract.gates.references:
        for published in environment.ledger.all_published(reference.dataset):
            if published.published_at <= tried_at:
                sandbox.ledger.record(published)
