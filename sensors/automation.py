"""Switches on the automation conditions that assets carry: derived datasets build themselves."""

from __future__ import annotations

import dagster as dg


def build_automation_sensor() -> dg.AutomationConditionSensorDefinition:
    return dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=5,
        description="Builds derived datasets when they are missing or when a table they read has changed.",
    )
