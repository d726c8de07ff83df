"""Looks at the objects of a partition, and writes the contract that would take them in."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.contract_file.proposed import is_of, propose
from sluice.errors import ContractError
from sluice.inference import Limits, SampleFile
from sluice.inference.fields import observe_object

if TYPE_CHECKING:
    from pipeline_assets.ports import Store
    from sluice.contract import Contract, Source
    from sluice.contract_file.proposed import Proposal
    from sluice.inference.fields import SeenObject
    from sluice.manifest import Manifest, RawObject
    from sluice.outcome import Outcome

LOOKED_AT = 20
"""Objects; the beginning of each. Those that drifted come first."""


def observe(source: Source, manifest: Manifest, outcome: Outcome | None, store: Store) -> list[SeenObject]:
    objects = objects_to_see(manifest, outcome)
    limits = Limits().share(len(objects))
    return [observe_object(SampleFile(item.key, partial(store.open, item.key)), source, limits) for item in objects]


def objects_to_see(manifest: Manifest, outcome: Outcome | None) -> list[RawObject]:
    drifted = {item.key for item in outcome.drifted} if outcome else set()
    return sorted(manifest.objects, key=lambda item: item.key not in drifted)[:LOOKED_AT]


def write_proposal(path: Path, proposal: Proposal) -> None:
    """Put it in place in one step; a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f".{path.name}.{os.getpid()}")
    written.write_text(proposal.text, encoding="utf-8")
    written.replace(path)


def propose_from_run(contract: Contract, manifest: Manifest, outcome: Outcome, store: Store, folder: Path) -> str:
    """Write what a run found into the folder of proposals; say where, or why not. Data are published in either case."""
    assert contract.source is not None  # noqa: S101  only landed datasets come here
    path = folder / contract.dataset / "contract.yaml"
    try:
        text = Path(contract.path).read_text(encoding="utf-8")
        if not is_of(contract, text):
            return f"none: {contract.path} has changed since it was loaded"
        earlier = path.read_text(encoding="utf-8") if path.exists() else None
        seen = observe(contract.source, manifest, outcome, store)
        proposal = propose(text, seen, outcome, path=contract.path, earlier=earlier)
    except (OSError, ContractError) as error:
        return f"none: {error}"
    if not proposal.amendment.changes_rows:
        return str(path) if earlier else "none: a person has to choose, see sluice drift"
    write_proposal(path, proposal)
    return str(path)
