"""Gates before the transform: what they judge by, the reservation, and what they said, written down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline_assets.asset_specs import Zone
from pipeline_assets.breakers import judge_breakers
from pipeline_assets.check_report import check_result, shown
from pipeline_assets.fragment_reuse import find_reuse
from sluice.completeness import control_etags, control_key, marker_key
from sluice.errors import RawObjectCutShort
from sluice.gates import RAW_GATES, Severity
from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.gates.estimated_cost_is_within_budget import ESTIMATED_COST_IS_WITHIN_BUDGET as BUDGET
from sluice.gates.evidence import ObjectHead, RawEvidence
from sluice.gates.raw_objects_exist import RAW_OBJECTS_EXIST
from sluice.judging import are_current, closed, gates_of, judge_raw, severity_of, stopping
from sluice.outcome import OUTCOME_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import dagster as dg

    from pipeline_assets.funding import Purse
    from pipeline_assets.incidents import Chronicle
    from pipeline_assets.ports import Store
    from sluice.acceptance import Acceptance
    from sluice.contract import Contract
    from sluice.cost.budget import Funding
    from sluice.judged import Judged
    from sluice.manifest import Manifest, RawObject
    from sluice.version import Version

_END_BYTES = 16
_LOOKS_AT_ONCE = 12
_LONGEST_CONTROL_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class RawJudgement:
    """What the gates on one manifest said; `stopped_by` is empty when the transform may begin."""

    judged: tuple[Judged, ...]
    acceptances: tuple[Acceptance, ...]

    @property
    def stopped_by(self) -> tuple[Judged, ...]:
        return stopping(self.judged, self.acceptances)

    def check_results(self, asset: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
        gates = {gate.name: gate for gate in RAW_GATES}
        for item in self.judged:
            yield check_result(asset, gates[item.gate], item, self.acceptances)


def nothing_landed(contract: Contract, partition: str, asset: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
    """Show that no object exists; nothing is recorded, for there is no version to record it of."""
    evidence = RawEvidence(contract=contract, partition=partition, objects=())
    for gate in gates_of(contract, (RAW_OBJECTS_EXIST,)):
        yield shown(asset, gate, gate.judge(evidence))


def judge_raw_gates(
    purse: Purse,
    chronicle: Chronicle,
    store: Store,
    manifest: Manifest,
    version: Version,
    *,
    contracts: Mapping[str, Contract],
    bytes_in: int | None = None,
) -> RawJudgement:
    """Judge a manifest, reserve its estimated cost if nothing else stops it, and record the verdicts.

    What a breaker holds is judged no further: the gates would read from what is down, and nothing is said against it.
    `bytes_in` is what a derived partition reads, for its manifest names versions and no bytes.
    """
    contract, ledger, partition = purse.contract, purse.ledger, manifest.partition
    acceptances = ledger.acceptances(contract.dataset)
    breaker = judge_breakers(contracts, chronicle, version)
    if stopping(breaker, acceptances):
        ledger.record_verdicts(breaker)
        return RawJudgement(breaker, acceptances)
    gates = tuple(gate for gate in gates_of(contract, RAW_GATES) if gate is not BREAKER_IS_CLOSED)
    evidence = _fetch_evidence(contract, manifest, store)
    now, run_id = purse.clock.now(), purse.run.run_id
    judged = breaker + judge_raw((gate for gate in gates if gate is not BUDGET), evidence, version, run_id, now)
    if not stopping(judged, acceptances):
        funding = _reserve(purse, store, manifest, version, acceptances, _work(purse, store, manifest, bytes_in))
        evidence = RawEvidence(contract=contract, partition=partition, objects=manifest.objects, funding=funding)
    judged += judge_raw((gate for gate in gates if gate is BUDGET), evidence, version, run_id, now)
    ledger.record_verdicts(judged)
    judgement = RawJudgement(judged, acceptances)
    if judgement.stopped_by:
        chronicle.stop(version, judgement.stopped_by, gates)
    return judgement


def require_raw_gates(
    purse: Purse,
    chronicle: Chronicle,
    store: Store,
    manifest: Manifest,
    version: Version,
    *,
    contracts: Mapping[str, Contract],
) -> None:
    """Raise GateClosed unless this run may transform: processed can be materialized without raw, say by hand."""
    gates = gates_of(purse.contract, RAW_GATES)
    recorded = purse.ledger.verdicts(purse.contract.dataset, manifest.partition)
    mine = [item for item in recorded if item.run_id == purse.run.run_id]
    if are_current(mine, gates, purse.contract, version):
        return
    judgement = judge_raw_gates(purse, chronicle, store, manifest, version, contracts=contracts)
    for item in judgement.stopped_by[:1]:
        raise closed(item, gates)


def _reserve(
    purse: Purse,
    store: Store,
    manifest: Manifest,
    version: Version,
    acceptances: tuple[Acceptance, ...],
    work: tuple[int, int],
) -> Funding:
    place = (purse.contract.dataset, manifest.partition, BUDGET.name, version.fingerprint)
    accepted = any((a.dataset, a.partition, a.gate, a.fingerprint) == place for a in acceptances)
    folder = f"{Zone.PROCESSED}/{purse.contract.dataset}/date={manifest.partition}/{version}/"
    bytes_in, objects = work
    return purse.reserve(
        manifest.partition,
        version,
        bytes_in=bytes_in,
        objects=objects,
        already_staged=store.etag(folder + OUTCOME_NAME) is not None,
        regardless=accepted or severity_of(BUDGET, purse.contract) is not Severity.BLOCK,
    )


def _work(purse: Purse, store: Store, manifest: Manifest, bytes_in: int | None) -> tuple[int, int]:
    """Return the bytes and objects that are to be read: those that no earlier build has parsed under this contract."""
    if bytes_in is not None or purse.contract.source is None:
        return manifest.size_bytes if bytes_in is None else bytes_in, len(manifest.objects)
    published = purse.ledger.published(purse.contract.dataset, manifest.partition)
    reuse = find_reuse(store, purse.contract, manifest, published.outcome if published else None)
    return reuse.rest_bytes, len(reuse.rest)


def _fetch_evidence(contract: Contract, manifest: Manifest, store: Store) -> RawEvidence:
    if contract.source is None:
        return RawEvidence(contract=contract, partition=manifest.partition, objects=manifest.objects)
    marker, control = marker_key(contract, manifest.partition), control_key(contract, manifest.partition)
    return RawEvidence(
        contract=contract,
        partition=manifest.partition,
        objects=manifest.objects,
        heads=_fetch_heads(manifest, store),
        marker_present=marker is not None and store.etag(marker) is not None,
        control=None if control is None else fetch_control(control, store),
        control_etags=control_etags(contract, manifest.partition, store.etag),
    )


def fetch_control(key: str, store: Store) -> bytes | None:
    try:
        with store.open(key) as opened:
            return opened.read(_LONGEST_CONTROL_BYTES)
    except FileNotFoundError:  # it has not come yet
        return None


def _fetch_heads(manifest: Manifest, store: Store) -> Mapping[str, ObjectHead | None]:
    """Look at several objects at a time: behind a network each look is a wait."""
    with ThreadPoolExecutor(_LOOKS_AT_ONCE) as pool:
        heads = pool.map(lambda item: _fetch_head(item, store), manifest.objects)
        return {item.key: head for item, head in zip(manifest.objects, heads, strict=True)}


def _fetch_head(item: RawObject, store: Store) -> ObjectHead | None:
    try:
        with store.open(item.key, etag=item.etag) as opened:
            first = opened.read(_END_BYTES)
            opened.seek(max(0, item.size - _END_BYTES))
            last = opened.read(_END_BYTES)
    except (FileNotFoundError, PermissionError):  # the gate says that it cannot be opened
        return None
    if len(first) != len(last) or len(last) != min(item.size, _END_BYTES):
        raise RawObjectCutShort(key=item.key, size=item.size)
    return ObjectHead(first, last)
