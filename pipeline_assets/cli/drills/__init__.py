"""Scenes in which something breaks on purpose, for `sluice drill`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline_assets.cli.drills import crash, late_file, poison, rate_limit, schema_drift, warehouse_down

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_assets.cli.drills.scene import Drill

DRILLS: Mapping[str, Drill] = {
    item.DRILL.name: item.DRILL for item in (rate_limit, late_file, schema_drift, warehouse_down, crash, poison)
}
