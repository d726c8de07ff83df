"""When a partition must be published, whether it was, and how well a dataset keeps its promise."""

from sluice.freshness.promise import Freshness, deadline_of, is_promised
from sluice.freshness.slo import Due, Slo, attainment, breaches
from sluice.freshness.timeliness import (
    CHECK_NAME,
    Timeliness,
    breach_verdict,
    publication_verdict,
    stand_in_verdict,
    timeliness,
)
from sluice.freshness.wording import instant_text, percent_text, span_text

__all__ = [
    "CHECK_NAME",
    "Due",
    "Freshness",
    "Slo",
    "Timeliness",
    "attainment",
    "breach_verdict",
    "breaches",
    "deadline_of",
    "instant_text",
    "is_promised",
    "percent_text",
    "publication_verdict",
    "span_text",
    "stand_in_verdict",
    "timeliness",
]
