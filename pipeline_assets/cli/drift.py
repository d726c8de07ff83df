"""`sluice drift`: where files and contract have grown apart, and the next contract for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Column, counted, print_json, print_table, say
from sluice.contract import Contract
from sluice.drift import Drift, DriftKind, drift_of, next_version, type_text

if TYPE_CHECKING:
    from sluice.inference.fields import SeenObject
    from sluice.manifest import Manifest
    from sluice.outcome import Outcome

PROPOSAL_NAME = "contract.proposed.yaml"

_LOOKED_AT = 20  # objects; the beginning of each
_RECORDS = 200_000
_SHOWN_OBJECTS = 3


def drift(
    dataset: Annotated[str, typer.Argument(help="A dataset of landed files.")],
    *,
    date: Annotated[str | None, typer.Option(help="The partition to look at, YYYY-MM-DD; default: the newest.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the proposed contract beside the contract.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the fields of a partition's files with the contract; propose the contract that takes new fields in."""
    environment = open_environment()
    contract = environment.contract(dataset)
    manifest = _fetch_manifest(environment, contract, date)
    found = drift_of(
        contract, _observe(environment, contract, manifest), _fetch_outcome(environment, contract, manifest)
    )
    if as_json:
        print_json(_fields(item, manifest.partition) for item in found)
    else:
        _print(found, contract, manifest)
    if write:
        _propose(found, contract)


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


def _observe(environment: Environment, contract: Contract, manifest: Manifest) -> list[SeenObject]:
    from functools import partial

    from sluice.inference import Limits, SampleFile
    from sluice.inference.fields import observe_object

    assert contract.source is not None  # noqa: S101  _fetch_manifest has refused derived ones
    objects = manifest.objects[:_LOOKED_AT]
    limits = Limits().share(len(objects))
    return [
        observe_object(SampleFile(item.key, partial(environment.store.open, item.key)), contract.source, limits)
        for item in objects
    ]


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
    where = f"{contract.dataset} {manifest.partition}"
    looked_at = min(len(manifest.objects), _LOOKED_AT)
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
    if any(item.kind is DriftKind.UNKNOWN for item in found):
        say(f"sluice drift {contract.dataset} --write proposes a contract with the unknown fields as columns.")


def _advice(item: Drift) -> list[str]:
    if item.may_be and item.kind is DriftKind.UNKNOWN:
        return [f"{item.field} may be {item.may_be} under a new name: have it sent as before, or declare it anew."]
    if item.kind is DriftKind.RETYPED:
        return [
            f"{item.field} is rejected where it is no {type_text(item.declared_type)}. A column's type may only grow:",
            "have it sent as before, or declare it under another name.",
        ]
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


def _propose(found: Sequence[Drift], contract: Contract) -> None:
    from sluice.contract_file import read_contract
    from sluice.contract_file.proposal import with_columns
    from sluice.inference.contract_text import InferredColumn

    columns = [
        InferredColumn(item.field, item.seen_type, remarks=(f"in {item.share:.1%} of the records looked at",))
        for item in found
        if item.kind is DriftKind.UNKNOWN and item.seen_type is not None
    ]
    if not columns:
        say("There is no unknown field to declare, so there is nothing to propose.")
        return
    path = Path(contract.path)
    proposed = path.with_name(PROPOSAL_NAME)
    version = next_version(contract.version)
    text = with_columns(path.read_text(encoding="utf-8"), columns, version=version, path=contract.path)
    read_contract(text, path=str(proposed))  # what is proposed must be right
    proposed.write_text(text, encoding="utf-8")
    say(f"Wrote {proposed}: version {version} with {counted(len(columns), 'further column')}.")
    say(f"Read it; then: mv {proposed} {path} && sluice run")
