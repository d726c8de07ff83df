"""`sluice redrive`: quarantined records go through today's contract again; what passes is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline_assets.cli.border import ExitCode
from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import AsJson, Column, print_json, print_table, say
from sluice.errors import RedriveRefused
from sluice.wording import counted

if TYPE_CHECKING:
    from pipeline_assets.redrive import Candidate
    from sluice.contract import Contract
    from sluice.outcome import Outcome, Redriven

COLUMNS = [
    Column("partition"),
    Column("rejected by"),
    Column("in quarantine", number=True),
    Column("returned", number=True),
    Column("rejected again", number=True, folds=True),
    Column("superseded", number=True),
    Column("newly rejected", number=True, folds=True),
    Column("result", folds=True),
]


@dataclass(frozen=True, slots=True)
class _Line:
    """What becomes, or became, of one partition's quarantined records; None is not known."""

    partition: str
    rejected_by: str
    in_quarantine: int
    result: str
    returned: int | None = None
    stayed: int | None = None
    superseded: int | None = None
    new: int | None = None


def redrive(
    dataset: Annotated[str, typer.Argument(help="A dataset of landed files.")],
    *,
    date: Annotated[str | None, typer.Option(help="Only this partition, YYYY-MM-DD.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only partitions with this reason code in quarantine.")] = None,
    with_version: Annotated[
        str | None, typer.Option("--with", metavar="VERSION", help="Refuse if the contract has another version.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put quarantined records through today's contract again; what passes now is published, the rest stays."""
    environment = open_environment()
    contract = environment.contract(dataset)
    _check_version(contract, with_version)
    found = _fetch(environment, contract, date, reason)
    due = [item for item in found if item.is_due]
    lines = [_unchanged(item) for item in found if not item.is_due]
    if dry_run:
        lines += [_try(environment, contract, item) for item in due]
    else:
        lines += _build(environment, due, to_stderr=as_json)
    _show(sorted(lines, key=lambda line: line.partition), contract, dry_run=dry_run, as_json=as_json)
    if any(line.result.startswith("failed") for line in lines):
        raise typer.Exit(ExitCode.FAILED)


def _check_version(contract: Contract, asked: str | None) -> None:
    if asked not in {None, contract.version}:
        raise RedriveRefused(
            problem=f"the contract of {contract.dataset} has version {contract.version}, not {asked}",
            cure=f"Put version {asked} in place first ({contract.path}), or leave --with out.",
        )


def _fetch(environment: Environment, contract: Contract, date: str | None, reason: str | None) -> Sequence[Candidate]:
    from pipeline_assets.redrive import fetch_candidates

    ports = environment.store, environment.ledger, environment.clock
    return fetch_candidates(contract, *ports, date=date, reason=reason)


def _unchanged(item: Candidate) -> _Line:
    outcome = item.earlier
    return _Line(outcome.partition, outcome.contract_version, outcome.quarantined, "unchanged: same contract and files")


def _try(environment: Environment, contract: Contract, item: Candidate) -> _Line:
    from pipeline_assets.staging import try_partition

    done, redriven = try_partition(
        contract=contract,
        manifest=item.manifest,
        store=environment.store,
        scratch=environment.settings.scratch,
        earlier=item.earlier,
        clock=environment.clock,
    )
    return _line(item.earlier, redriven, done.records_quarantined, "would be published")


def _build(environment: Environment, due: Sequence[Candidate], *, to_stderr: bool) -> list[_Line]:
    from pipeline_assets.cli.headless import build_places
    from pipeline_assets.cli.logged_progress import shown_progress
    from pipeline_assets.redrive import TAGS

    if not due:
        return []
    places = [(item.earlier.dataset, item.earlier.partition) for item in due]
    with shown_progress(environment, to_stderr=to_stderr) as lines:
        results = build_places(environment, places, tags=TAGS, on_progress=lines)
    errors = {run.partition: run.error for run in results}
    return [_built(environment, item.earlier, errors.get(item.earlier.partition)) for item in due]


def _built(environment: Environment, earlier: Outcome, error: str | None) -> _Line:
    if error is not None:
        return _Line(earlier.partition, earlier.contract_version, earlier.quarantined, f"failed: {error}")
    published = environment.ledger.published(earlier.dataset, earlier.partition)
    if published is None or published.outcome.redriven is None or published.outcome.version == earlier.version:
        return _Line(earlier.partition, earlier.contract_version, earlier.quarantined, "left alone")
    return _line(earlier, published.outcome.redriven, published.outcome.quarantined, "published")


def _line(earlier: Outcome, redriven: Redriven | None, quarantined: int, result: str) -> _Line:
    before = (earlier.partition, earlier.contract_version, earlier.quarantined)
    if redriven is None:  # its quarantine files are gone: what they held cannot be compared
        return _Line(*before, result)
    new = quarantined - redriven.stayed
    return _Line(*before, result, redriven.returned, redriven.stayed, redriven.superseded, new)


def _show(lines: Sequence[_Line], contract: Contract, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(_fields(line, contract) for line in lines)
        return
    if not lines:
        say("Nothing of it is in quarantine.")
        return
    title = f"{contract.dataset} under contract {contract.version}{': what would happen' if dry_run else ''}"
    print_table(COLUMNS, [_cells(line) for line in lines], title=title)
    returned, stayed = sum(line.returned or 0 for line in lines), sum(line.stayed or 0 for line in lines)
    verb = "would return" if dry_run else "returned"
    say(f"{counted(returned, 'record')} {verb}, {stayed:,} rejected again.")
    if stayed or any(line.result.startswith("unchanged") for line in lines):
        say(f"Both reasons of what stays: sluice quarantine show {contract.dataset}")


def _cells(line: _Line) -> list[str | int | None]:
    return [
        line.partition,
        line.rejected_by,
        line.in_quarantine,
        line.returned,
        line.stayed,
        line.superseded,
        line.new,
        line.result,
    ]


def _fields(line: _Line, contract: Contract) -> dict[str, object]:
    return {
        "dataset": contract.dataset,
        "partition": line.partition,
        "rejected_by_contract": line.rejected_by,
        "contract": contract.version,
        "in_quarantine": line.in_quarantine,
        "returned": line.returned,
        "rejected_again": line.stayed,
        "superseded": line.superseded,
        "newly_rejected": line.new,
        "result": line.result,
    }
