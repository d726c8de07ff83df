"""CloudWatch's embedded metric format: a JSON line of a log that says which of its members are metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sluice.telemetry.log_line import json_line

if TYPE_CHECKING:
    from sluice.telemetry.measured import Measured

DIMENSION = "dataset"


def emf_line(measured: Measured, namespace: str) -> bytes:
    """Return the line with its end. A number that is none is left out: CloudWatch would drop the whole line."""
    metrics = [metric for metric in measured.metrics if math.isfinite(metric.value)]
    return json_line(
        {
            "_aws": {
                "Timestamp": int(measured.at.timestamp() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": namespace,
                        "Dimensions": [[DIMENSION]],
                        "Metrics": [{"Name": metric.name, "Unit": metric.unit.value} for metric in metrics],
                    }
                ],
            },
            "measured": measured.what,
            DIMENSION: measured.dataset,
            **measured.facts,
            **{metric.name: metric.value for metric in metrics},
        }
    )
