"""Finds what earlier builds of a partition came to, fragment by fragment, so that only the rest has to be parsed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline_assets.asset_specs import Zone
from pipeline_assets.staged_folder import missing, read_outcome
from sluice.contract import CODE_VERSION
from sluice.errors import StagedFilesMissing
from sluice.fragments.reuse import is_divisible, left_to_parse, reusable, same_rules
from sluice.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline_assets.ports import Store
    from sluice.contract import Contract
    from sluice.manifest import Manifest, RawObject
    from sluice.outcome import Fragment, Outcome

_FINGERPRINT = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Reuse:
    """Fragments of one earlier outcome whose files are all there, and the objects that none of them was made from."""

    rest: tuple[RawObject, ...]
    fragments: tuple[Fragment, ...] = ()
    outcome: Outcome | None = None

    @property
    def rest_bytes(self) -> int:
        return sum(item.size for item in self.rest)


def find_reuse(store: Store, contract: Contract, manifest: Manifest, earlier: Outcome | None) -> Reuse:
    """Return the reuse that leaves least to be parsed: of what is published (`earlier`) or of what was staged last."""
    everything = Reuse(manifest.objects)
    if not is_divisible(contract):
        return everything
    found = [_reuse_of(outcome, store, manifest) for outcome in _outcomes(store, contract, manifest, earlier)]
    return min([everything, *found], key=lambda reuse: (reuse.rest_bytes, len(reuse.rest)))


def note_newest(store: Store, outcome: Outcome, scratch: Path) -> None:
    """Write down which version was staged last; if that is lost or wrong, more is parsed, and nothing else happens."""
    written = scratch / "newest"
    written.write_text(outcome.fingerprint)
    store.put(_newest_key(outcome.dataset, outcome.partition, outcome.contract_fingerprint), written)


def _outcomes(store: Store, contract: Contract, manifest: Manifest, earlier: Outcome | None) -> Iterator[Outcome]:
    if earlier is not None and same_rules(contract, earlier):
        yield earlier
    staged = _fetch_newest(store, contract, manifest)
    if staged is not None and (earlier is None or staged.version != earlier.version):
        yield staged


def _fetch_newest(store: Store, contract: Contract, manifest: Manifest) -> Outcome | None:
    """What is staged but not published counts, too: a gate may wait for the partition's other objects."""
    try:
        with store.open(_newest_key(contract.dataset, manifest.partition, contract.fingerprint)) as opened:
            fingerprint = opened.read().decode(errors="replace")
        if _FINGERPRINT.fullmatch(fingerprint) is None:
            return None
        version = Version(fingerprint, contract.fingerprint, CODE_VERSION)
        return read_outcome(store, contract.dataset, manifest.partition, version)
    except (FileNotFoundError, StagedFilesMissing):
        return None


def _reuse_of(outcome: Outcome, store: Store, manifest: Manifest) -> Reuse:
    wanted = reusable(outcome, manifest)
    gone = {file.key for file in missing((file for item in wanted for file in item.staged), store)}
    fragments = tuple(item for item in wanted if not any(file.key in gone for file in item.staged))
    return Reuse(left_to_parse(outcome, fragments, manifest), fragments, outcome)


def _newest_key(dataset: str, partition: str, contract_fingerprint: str) -> str:
    return f"{Zone.PROCESSED}/{dataset}/date={partition}/_newest-{contract_fingerprint}-{CODE_VERSION}"
