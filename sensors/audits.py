"""Asks for audits: when a contract's gates change, what is published is judged again."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import dagster as dg

from sensors.runs import UNDER_WAY
from sluice.auditing import Ledger, to_be_audited
from sluice.contract import rules_fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.contract import Contract
    from sluice.outcome import Outcome

SENSOR_NAME = "audits"
_MOST_AT_WORK = 10
_MOST_DEATHS = 3


def build_audits_sensor(contracts: Mapping[str, Contract], job_name: str) -> dg.SensorDefinition:
    """Return the sensor; only contracts with `healing.audit` are looked at, and each set of rules to its end once."""

    @dg.sensor(
        name=SENSOR_NAME,
        job_name=job_name,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Has published partitions judged again when gates change; the contract says what follows.",
    )
    def audits(context: dg.SensorEvaluationContext, ledger: dg.ResourceParam[Ledger]) -> dg.SensorResult:
        audited = _read_cursor(context.cursor)
        rules = {name: rules_fingerprint_of(contract) for name, contract in contracts.items()}
        room = _MOST_AT_WORK - context.instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=UNDER_WAY))
        asked: list[dg.RunRequest] = []
        for name, contract in contracts.items():
            if contract.healing.audit is None or audited.get(name) == rules[name]:
                continue
            due = list(islice(to_be_audited(contract, ledger), max(0, room - len(asked)) + _MOST_AT_WORK))
            requests = [request for outcome in due if (request := _request(outcome, rules[name], context.instance))]
            asked += requests[: max(0, room - len(asked))]
            if not due:
                audited[name] = rules[name]
        return dg.SensorResult(
            run_requests=asked,
            skip_reason=None if asked else dg.SkipReason("No published partition is to be judged again."),
            cursor=json.dumps(audited),
        )

    return audits


def _request(outcome: Outcome, rules: str, instance: dg.DagsterInstance) -> dg.RunRequest | None:
    """Return the request, unless a run is at it, or runs for it keep dying."""
    place = {"sluice/dataset": outcome.dataset, "dagster/partition": outcome.partition}
    tags = {**place, "sluice/audit": f"{outcome.version} {rules}"}
    if instance.get_runs_count(dg.RunsFilter(tags=tags, statuses=UNDER_WAY)):
        return None
    earlier = instance.get_runs_count(dg.RunsFilter(tags=tags))
    if earlier > _MOST_DEATHS:
        return None
    key = f"audit:{outcome.dataset}:{outcome.partition}:{tags['sluice/audit']}:{earlier}"
    return dg.RunRequest(run_key=key, tags=tags)


def _read_cursor(text: str | None) -> dict[str, str]:
    """The rules by which all of a dataset is judged. Losing it is harmless: all is looked at once more."""
    try:
        fields: Any = json.loads(text or "{}")  # Any: checked by use
        return {str(name): str(rules) for name, rules in fields.items()}
    except (ValueError, AttributeError):
        return {}
