"""What of the deployment is wanted: CDK's context, `cdk.json` or `-c NAME=VALUE`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from constructs import Node

_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
_EVENTS = ("sqs", "eventbridge", "both")


@dataclass(frozen=True, slots=True)
class Toggles:
    """`name` begins every name, so an account holds several environments. docs/aws.md explains each."""

    name: str
    events: str
    services: bool
    nat_gateways: int
    alarms: bool
    dashboard: bool
    alarm_email: str
    athena_cutoff_bytes: int
    freshness_lag_seconds: int
    log_retention_days: int
    keep_data: bool
    image_tag: str

    @property
    def database(self) -> str:
        """The name of the Glue database, in which Athena reads no hyphen."""
        return self.name.replace("-", "_")


def read_toggles(node: Node) -> Toggles:
    """Read the context; raises ValueError with what to write instead."""

    def said(name: str) -> Any:  # noqa: ANN401  JSON from cdk.json, text from the command line
        return node.try_get_context(name)

    name, events = str(said("name")), str(said("events"))
    if not _NAME.fullmatch(name):
        raise ValueError(f"name={name}: write up to 20 small letters, digits and hyphens, a letter first")
    if events not in _EVENTS:
        raise ValueError(f"events={events}: write one of {', '.join(_EVENTS)}")
    return Toggles(
        name,
        events,
        services=_switch("services", said("services")),
        nat_gateways=int(said("natGateways")),
        alarms=_switch("alarms", said("alarms")),
        dashboard=_switch("dashboard", said("dashboard")),
        alarm_email=str(said("alarmEmail")),
        athena_cutoff_bytes=int(said("athenaCutoffBytes")),
        freshness_lag_seconds=int(said("freshnessLagSeconds")),
        log_retention_days=int(said("logRetentionDays")),
        keep_data=_switch("keepData", said("keepData")),
        image_tag=str(said("imageTag")),
    )


def _switch(name: str, value: object) -> bool:
    """The command line hands in text, and the text "false" would count as true."""
    if str(value).lower() not in {"true", "false"}:
        raise ValueError(f"{name}={value}: write true or false")
    return str(value).lower() == "true"
