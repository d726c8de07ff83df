"""The rules that must hold before a partition is published: one module per gate, all of them in `GATES`."""

from __future__ import annotations

from sluice.gates.breaker_is_closed import BREAKER_IS_CLOSED
from sluice.gates.estimated_cost_is_within_budget import ESTIMATED_COST_IS_WITHIN_BUDGET
from sluice.gates.expectations_hold import EXPECTATIONS_HOLD
from sluice.gates.files_are_well_sized import FILES_ARE_WELL_SIZED
from sluice.gates.key_is_unique import KEY_IS_UNIQUE
from sluice.gates.metrics_are_expected import METRICS_ARE_EXPECTED
from sluice.gates.nulls_are_within_limits import NULLS_ARE_WITHIN_LIMITS
from sluice.gates.raw_is_complete import RAW_IS_COMPLETE
from sluice.gates.raw_objects_are_readable import RAW_OBJECTS_ARE_READABLE
from sluice.gates.raw_objects_exist import RAW_OBJECTS_EXIST
from sluice.gates.record_count_matches_control import RECORD_COUNT_MATCHES_CONTROL
from sluice.gates.records_are_conserved import RECORDS_ARE_CONSERVED
from sluice.gates.reference_data_is_current import REFERENCE_DATA_IS_CURRENT
from sluice.gates.rejected_share_is_acceptable import REJECTED_SHARE_IS_ACCEPTABLE
from sluice.gates.row_count_is_expected import ROW_COUNT_IS_EXPECTED
from sluice.gates.runtime_is_within_budget import RUNTIME_IS_WITHIN_BUDGET
from sluice.gates.scan_cost_is_within_budget import SCAN_COST_IS_WITHIN_BUDGET
from sluice.gates.schema_has_not_drifted import SCHEMA_HAS_NOT_DRIFTED
from sluice.gates.schema_matches_contract import SCHEMA_MATCHES_CONTRACT
from sluice.gates.verdict import Gate, RawGate, Severity, StagedGate, Verdict

__all__ = ["GATES", "RAW_GATES", "STAGED_GATES", "Gate", "RawGate", "Severity", "StagedGate", "Verdict"]

GATES: tuple[RawGate | StagedGate, ...] = (
    BREAKER_IS_CLOSED,
    RAW_OBJECTS_EXIST,
    RAW_OBJECTS_ARE_READABLE,
    RAW_IS_COMPLETE,
    ESTIMATED_COST_IS_WITHIN_BUDGET,
    RECORDS_ARE_CONSERVED,
    RECORD_COUNT_MATCHES_CONTROL,
    SCHEMA_MATCHES_CONTRACT,
    SCHEMA_HAS_NOT_DRIFTED,
    KEY_IS_UNIQUE,
    NULLS_ARE_WITHIN_LIMITS,
    REJECTED_SHARE_IS_ACCEPTABLE,
    ROW_COUNT_IS_EXPECTED,
    METRICS_ARE_EXPECTED,
    EXPECTATIONS_HOLD,
    REFERENCE_DATA_IS_CURRENT,
    FILES_ARE_WELL_SIZED,
    RUNTIME_IS_WITHIN_BUDGET,
    SCAN_COST_IS_WITHIN_BUDGET,
)
"""In the order they are judged: on raw, before anything is spent; then on what is staged, before it is published."""

RAW_GATES = tuple(gate for gate in GATES if isinstance(gate, RawGate))
STAGED_GATES = tuple(gate for gate in GATES if isinstance(gate, StagedGate))
