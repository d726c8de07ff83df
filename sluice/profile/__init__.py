"""The numbers of one staged partition, from Parquet footers where possible, else from one query."""

from __future__ import annotations

from sluice.profile.measuring import measure
from sluice.profile.metric_kinds import METRIC_KINDS, MetricKind
from sluice.profile.profile import FileShape, Profile
from sluice.profile.staged_schema import declared_schema

__all__ = ["METRIC_KINDS", "FileShape", "MetricKind", "Profile", "declared_schema", "measure"]
