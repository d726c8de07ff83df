"""What a person can do about an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.healing.failure import FailureClass
from sluice.healing.incident import ARRIVALS, RemedyKind
from sluice.healing.state import IncidentState, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sluice.healing.incident import Incident

_RUN = "To try again now: sluice run"
_SEE_GATES = "See what every gate said: sluice gates {dataset} {partition}"
_CORRECTED = "Land corrected files: sluice land {dataset} FILE --date {partition} --replace (derived: of its inputs)"

_STEPS: Mapping[FailureClass, tuple[str, ...]] = {
    FailureClass.TRANSIENT: (_RUN, "If it comes back again and again, look at the log of the run in the Dagster UI."),
    FailureClass.UPSTREAM_MISSING: (
        _SEE_GATES,
        "Land what is missing: sluice land {dataset} FILE --date {partition} (derived: of its inputs)",
    ),
    FailureClass.UPSTREAM_UNAVAILABLE: ("Ask those who run the source when it is back.", _RUN),
    FailureClass.SINK_UNAVAILABLE: (
        "Check that catalog, object store and ledger can be reached; what is staged is kept.",
        _RUN,
    ),
    FailureClass.PERMISSION: ("Give the account that runs this the right that the error names.", _RUN),
    FailureClass.SCHEMA_DRIFT: (
        "See how files and contract differ: sluice drift {dataset} --date {partition}",
        "Propose the next contract, read it, put it in place: sluice drift {dataset} --write; then with --accept",
        "Or correct the files, and land them again. What was quarantined is built again by itself.",
    ),
    FailureClass.QUALITY: (
        _SEE_GATES,
        "See what was rejected: sluice quarantine show {dataset} --date {partition}",
        _CORRECTED,
    ),
    FailureClass.COST: (
        "See where the money went: sluice cost --dataset {dataset}",
        "Raise the budget in the contract, or wait for the next month.",
    ),
    FailureClass.RESOURCE: ("Free memory or disk, or give the run more of it.", _RUN),
    FailureClass.CODE: ("Correct the contract, query or code that the error names: a new version starts anew.", _RUN),
    FailureClass.UNKNOWN: ("Read the error and the log of the run in the Dagster UI, and mend the cause.", _RUN),
}
_ARRIVALS = "See what is missing, and how to mend it: sluice doctor. What landed meanwhile is noticed afterwards."
_AFTER_REWIND = (
    _CORRECTED,
    "What was taken back is not published again by itself; how to undo the rewind: docs/rewind.md",
)


def next_steps(incident: Incident, gates: Sequence[str] = ()) -> tuple[str, ...]:
    """Return steps, the likeliest first; none when it is resolved. `gates` are those that a person could accept."""
    if state_of(incident) is IncidentState.RESOLVED:
        return ()
    if incident.dataset == ARRIVALS:
        return (_ARRIVALS,)
    rewound = any(remedy.kind is RemedyKind.REWIND for remedy in incident.remedies)
    steps = _AFTER_REWIND if rewound else _STEPS[incident.failure_class]
    accepts = (f"Or accept it: sluice accept {{dataset}} {{partition}} {gate} --why REASON" for gate in gates)
    return tuple(step.format(dataset=incident.dataset, partition=incident.partition) for step in (*steps, *accepts))
