"""`sluice drift`: where files and contract have grown apart, and the next contract for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Column, print_json, print_table, say
from sluice.contract import Contract
from sluice.drift import Drift, drift_of, type_text
from sluice.drift_kind import DriftKind
from sluice.wording import counted

if TYPE_CHECKING:
    from sluice.inference.fields import SeenObject
    from sluice.manifest import Manifest
    from sluice.outcome import Outcome

PROPOSAL_NAME = "contract.proposed.yaml"

_SHOWN_OBJECTS = 3


def drift(
    dataset: Annotated[str, typer.Argument(help="A dataset of landed files.")],
    *,
    date: Annotated[str | None, typer.Option(help="The partition to look at, YYYY-MM-DD; default: the newest.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the proposed contract beside the contract.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Put the proposed contract in place of the contract.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Accept without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the fields of a partition's files with the contract; propose, and accept, the contract for them."""
    environment = open_environment()
    contract = environment.contract(dataset)
    if accept:
        _accept(environment, contract, yes=yes)
        return
    manifest = _fetch_manifest(environment, contract, date)
    looked = _look(environment, contract, manifest)
    found = drift_of(contract, looked.seen, looked.outcome)
    if as_json:
        print_json(_fields(item, manifest.partition) for item in found)
    else:
        _print(found, contract, manifest)
    if write:
        _propose(contract, looked)


@dataclass(frozen=True, slots=True)
class _Look:
    seen: Sequence[SeenObject]
    outcome: Outcome | None


def _look(environment: Environment, contract: Contract, manifest: Manifest) -> _Look:
    from pipeline_assets.proposals import observe

    assert contract.source is not None  # noqa: S101  _fetch_manifest has refused derived ones
    outcome = _fetch_outcome(environment, contract, manifest)
    return _Look(observe(contract.source, manifest, outcome, environment.store), outcome)


def _fetch_manifest(environment: Environment, contract: Contract, date: str | None) -> Manifest:
    from sluice.arrivals import sweep_partition

    if contract.source is None:
        raise typer.BadParameter(f"{contract.dataset} is derived: it has no files of its own", param_hint="DATASET")
    known = [item.manifest for item in environment.ledger.noticed_after(0) if item.manifest.dataset == contract.dataset]
    partition = date or max((item.partition for item in known), default=None)
    noticed = partition and sweep_partition(
        contract, partition, environment.store, environment.ledger, environment.clock.now()
    )
    if not noticed:
        where = f"{contract.dataset} {date}" if date else contract.dataset
        raise typer.BadParameter(
            f"nothing has been noticed for {where}; land a file, then: sluice run",
            param_hint="--date" if date else "DATASET",
        )
    return noticed.manifest


def _fetch_outcome(environment: Environment, contract: Contract, manifest: Manifest) -> Outcome | None:
    from pipeline_assets.staging import fetch_outcome
    from sluice.contract import CODE_VERSION
    from sluice.errors import StagedFilesMissing
    from sluice.version import Version

    version = Version(manifest.fingerprint, contract.fingerprint, CODE_VERSION)
    try:
        return fetch_outcome(environment.store, contract.dataset, manifest.partition, version)
    except StagedFilesMissing:  # not built in this version yet: types are not compared then
        return None


def _fields(item: Drift, partition: str) -> dict[str, object]:
    return {
        "partition": partition,
        "drift": item.kind,
        "field": item.field,
        "contract_type": type_text(item.declared_type) or None,
        "seen_type": type_text(item.seen_type) or None,
        "records": item.records,
        "share": round(item.share, 6),
        "objects": list(item.objects),
        "may_be": item.may_be,
    }


def _print(found: Sequence[Drift], contract: Contract, manifest: Manifest) -> None:
    from pipeline_assets.proposals import LOOKED_AT

    where = f"{contract.dataset} {manifest.partition}"
    looked_at = min(len(manifest.objects), LOOKED_AT)
    if not found:
        say(f"{where}: {counted(looked_at, 'object')} looked at; files and contract agree.", style="green")
        return
    columns = [
        Column("drift"),
        Column("field", folds=True),
        Column("contract", folds=True),
        Column("files", folds=True),
        Column("records", number=True),
        Column("share", number=True),
        Column("objects", folds=True),
    ]
    print_table(columns, [_row(item) for item in found], title=f"{where}: {counted(looked_at, 'object')} looked at")
    for item in found:
        for line in _advice(item):
            say(line)
    say(f"sluice drift {contract.dataset} --write proposes a contract that takes in what can be taken in.")


def _advice(item: Drift) -> list[str]:
    from sluice.drift_remedy import converts  # loads what reads files

    if item.may_be and item.kind is DriftKind.UNKNOWN:
        return [f"{item.field} may be {item.may_be} under a new name: the proposal reads both names."]
    if item.kind is DriftKind.RETYPED and converts(item.seen_type, item.declared_type):
        return [f"{item.field} converts to {type_text(item.declared_type)}: the proposal casts it."]
    if item.kind is DriftKind.RETYPED:
        return [
            f"{item.field} is rejected where it is no {type_text(item.declared_type)}. A column's type may only grow:",
            "have it sent as before, or declare it under another name.",
        ]
    if item.kind is DriftKind.MISSING and not item.may_be:
        return [f"{item.field} is missing: have it sent, remove required, or declare a default for it."]
    return []


def _row(item: Drift) -> list[str | int]:
    names = [key.rpartition("/")[2] for key in item.objects]
    more = f" and {len(names) - _SHOWN_OBJECTS} more" if len(names) > _SHOWN_OBJECTS else ""
    return [
        item.kind,
        item.field,
        type_text(item.declared_type),
        type_text(item.seen_type),
        item.records,
        f"{item.share:.1%}",
        ", ".join(names[:_SHOWN_OBJECTS]) + more,
    ]


def _propose(contract: Contract, looked: _Look) -> None:
    from pipeline_assets.proposals import write_proposal
    from sluice.contract_file.proposed import propose

    path = Path(contract.path)
    proposed = path.with_name(PROPOSAL_NAME)
    proposal = propose(path.read_text(encoding="utf-8"), looked.seen, looked.outcome, path=contract.path)
    amendment = proposal.amendment
    if not amendment.changes_rows and not amendment.remarks:
        say("There is no unknown field to declare, so there is nothing to propose.")
        return
    write_proposal(proposed, proposal)
    added = [
        *([counted(len(amendment.columns), "further column")] if amendment.columns else []),
        *([counted(len(amendment.shims), "shim")] if amendment.shims else []),
    ]
    say(f"Wrote {proposed}: version {proposal.version} with {' and '.join(added) or 'comments only'}.")
    if any("CHOOSE" in remark for remarks in amendment.remarks.values() for remark in remarks):
        say("It has comments that begin with CHOOSE: there a person has to.")
    say(f"Read it; then: sluice drift {contract.dataset} --accept")


def _accept(environment: Environment, contract: Contract, *, yes: bool) -> None:
    """Put the proposal in place of the contract in one step; a kill leaves the one or the other."""
    from sluice.contract_file import read_contract
    from sluice.contract_file.proposed import base_of, digest_of, without_head
    from sluice.errors import ProposalRefused

    path = Path(contract.path)
    home = environment.settings.proposals / contract.dataset / path.name
    proposed = next((item for item in (path.with_name(PROPOSAL_NAME), home) if item.exists()), None)
    if proposed is None:
        raise ProposalRefused(dataset=contract.dataset, problem=f"neither {PROPOSAL_NAME} nor {home} is there")
    present, text = path.read_text(encoding="utf-8"), proposed.read_text(encoding="utf-8")
    new = without_head(text)
    if present != new and base_of(text) != digest_of(present):
        raise ProposalRefused(dataset=contract.dataset, problem=f"{path} has changed since {proposed} was written")
    accepted = read_contract(new, path=str(proposed))
    for line in unified_diff(present.splitlines(), new.splitlines(), str(path), str(proposed), lineterm="", n=2):
        say(line)
    if not yes:
        typer.confirm("Put it in place?", abort=True)
    written = path.with_name(f".{path.name}.accepted")
    written.write_text(new, encoding="utf-8")
    written.replace(path)
    proposed.unlink()
    say(f"{path} is version {accepted.version}. What was quarantined is built again by itself under `sluice up`,")
    say("or now by: sluice run")
