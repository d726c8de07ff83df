from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sluice.contract import Contract, DriftPolicy, FileFormat, Source
from sluice.drift_kind import DriftKind
from sluice.gates import STAGED_GATES
from sluice.gates.rejected_share_is_acceptable import REJECTED_SHARE_IS_ACCEPTABLE
from sluice.gates.schema_has_not_drifted import SCHEMA_HAS_NOT_DRIFTED
from sluice.judging import gates_of
from sluice.outcome import FieldDrift, ObjectBalance
from sluice.profile import Profile
from tests.sluice.gates.staged import ORDERS
from tests.sluice.gates.staged import evidence as evidence_of

if TYPE_CHECKING:
    from sluice.gates.evidence import StagedEvidence

SOURCE = Source("orders/date={date}/*", FileFormat.JSONL)
STRICT = replace(ORDERS, source=SOURCE, drift=DriftPolicy.QUARANTINE)
HEALTHY = ObjectBalance(key="a", etag="e", records_in=2, published=2, quarantined=0, duplicates=0)
DRIFTED = ObjectBalance(key="b", etag="e", records_in=8, published=0, quarantined=8, duplicates=0)
CHANNEL = FieldDrift(key="b", kind=DriftKind.UNKNOWN, field="channel", records=4)


def evidence(*objects: ObjectBalance, contract: Contract = STRICT) -> StagedEvidence:
    found = evidence_of(Profile(), contract)
    drift = (CHANNEL,) if DRIFTED in objects else ()
    return replace(found, outcome=found.outcome.model_copy(update={"objects": objects, "drift": drift}))


@pytest.mark.parametrize(
    ("policy", "applies"),
    [(DriftPolicy.IGNORE, False), (DriftPolicy.QUARANTINE, True), (DriftPolicy.EVOLVE, True)],
)
def test_it_is_judged_where_a_contract_has_a_policy(policy: DriftPolicy, applies: bool) -> None:  # noqa: FBT001
    gates = gates_of(replace(STRICT, drift=policy), STAGED_GATES)

    assert (SCHEMA_HAS_NOT_DRIFTED in gates) is applies


def test_it_holds_where_nothing_drifted() -> None:
    verdict = SCHEMA_HAS_NOT_DRIFTED.judge(evidence(HEALTHY))

    assert verdict.holds


def test_it_warns_while_an_object_is_healthy() -> None:

    verdict = SCHEMA_HAS_NOT_DRIFTED.judge(evidence(HEALTHY, DRIFTED))

    assert (verdict.holds, verdict.may_block) == (False, False)
    assert verdict.sample == ({"drift": "unknown", "field": "channel", "objects": 1, "share": 0.5},)
    assert "channel is not declared in 50% of the records of b" in verdict.explanation


@pytest.mark.parametrize(("policy", "blocks"), [(DriftPolicy.QUARANTINE, True), (DriftPolicy.EVOLVE, False)])
def test_it_blocks_where_nothing_is_left(policy: DriftPolicy, blocks: bool) -> None:  # noqa: FBT001

    verdict = SCHEMA_HAS_NOT_DRIFTED.judge(evidence(DRIFTED, contract=replace(STRICT, drift=policy)))

    assert verdict.may_block is blocks


def test_drifted_objects_say_nothing_about_the_rejected_share_of_the_others() -> None:

    assert REJECTED_SHARE_IS_ACCEPTABLE.judge(evidence(HEALTHY, DRIFTED)).holds
    assert not REJECTED_SHARE_IS_ACCEPTABLE.judge(evidence(HEALTHY, DRIFTED, contract=ORDERS)).holds
