"""A Dagster job that replays partitions, so that the UI can launch it."""

# Annotations are not postponed here: Dagster compares the one of `context` as an object.

from collections.abc import Callable, Mapping, Sequence

import dagster as dg

from pipeline_assets.assets import job_name
from pipeline_assets.redrive import build_as_run
from pipeline_assets.replay import Asked, Newest, Past, Replay, fetch_newest, fetch_past
from sluice.contract import Contract
from sluice.errors import ReplayRefused, did_you_mean
from sluice.replaying import parse_instant

TAGS: Mapping[str, str] = {"sluice/purpose": "replay"}
_PORTS = {"store", "ledger", "clock", "tables", "prices", "settings", "failures", "expectation_engine"}


class ReplayConfig(dg.Config):
    """What the launchpad asks for. With `as_of` partitions show again what they had then; without, what they have."""

    dataset: str
    first: str
    last: str
    as_of: str | None = None
    why: str = ""
    by: str = "Dagster"


def replay_job(contracts: Mapping[str, Contract], job_of: Callable[[str], dg.JobDefinition]) -> dg.JobDefinition:
    """Return the job; `job_of` gives the job that builds a dataset, with its resources, when this one runs."""

    @dg.op(name="replay_partitions", required_resource_keys=_PORTS)
    def replay(context: dg.OpExecutionContext, config: ReplayConfig) -> None:
        contract = contracts.get(config.dataset)
        if contract is None:
            raise ReplayRefused(
                problem=f'"{config.dataset}" is no dataset', cure=did_you_mean(config.dataset, contracts)
            )
        ports = context.resources
        newest = list(fetch_newest(contract, ports.ledger, ports.store, ports.clock, config.first, config.last))
        if config.as_of is None:
            _send_again(context, contract, newest, job_of(job_name(contract.dataset)))
        else:
            _go_back(context, contract, newest, config)

    @dg.job(
        name="replay",
        description="Builds partitions again from what they have, or as of a time from what they had.",
        tags=dict(TAGS),
    )
    def replaying() -> None:
        replay()

    return replaying


def _send_again(
    context: dg.OpExecutionContext, contract: Contract, newest: Sequence[Newest], job: dg.JobDefinition
) -> None:
    from pipeline_assets.replay_again import Standing, look_again  # heavy, see landed.py

    ports = context.resources
    looked = [
        look_again(contract, item, ports.store, ports.ledger, ports.tables, ports.settings.scratch) for item in newest
    ]
    due = [item.partition for item in looked if item.standing is Standing.DUE]
    # A run that is told what it is about pulls nothing anew.
    tags = {item.manifest.partition: {**TAGS, "sluice/fingerprint": item.manifest.fingerprint} for item in newest}
    failed = [day for day in due if not build_as_run(context, job, contract.dataset, day, tags[day])]
    counts = {str(kind): sum(item.standing is kind for item in looked) for kind in Standing}
    different = [item.partition for item in looked if item.standing is Standing.DIFFERS]
    context.add_output_metadata({**counts, "different": ", ".join(different), "failed": ", ".join(failed)})
    if failed or different:
        raise dg.Failure(f"{contract.dataset}: failed: {failed or 'none'}; built again differently: {different}")


def _go_back(
    context: dg.OpExecutionContext, contract: Contract, newest: Sequence[Newest], config: ReplayConfig
) -> None:
    from pipeline_assets.evidence import Witnesses

    as_of, ports = parse_instant(config.as_of or ""), context.resources
    pasts = [fetch_past(item, ports.ledger, ports.store, as_of) for item in newest]
    found: list[Past] = [item for item in pasts if item is not None]
    witnesses = Witnesses(
        ports.store,
        ports.ledger,
        ports.tables,
        ports.clock,
        ports.prices,
        ports.settings,
        ports.expectation_engine,
    )
    replay = Replay(contract, witnesses, ports.tables, ports.failures, context.instance)
    done = replay.publish(found, Asked(as_of, config.why, config.by, context.run.run_id), contract.downstream)
    context.add_output_metadata(
        {
            "as of": as_of.isoformat(),
            "changed": ", ".join(step.partition for step in done.changes),
            "nothing known of then": len(pasts) - len(found),
        }
    )
