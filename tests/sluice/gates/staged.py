"""Evidence of a staged partition of which only the profile matters."""

from __future__ import annotations

from sluice.contract import Column, Contract
from sluice.datatypes import Decimal, Integer, Text
from sluice.gates.evidence import StagedEvidence
from sluice.outcome import Outcome
from sluice.profile import FileShape, Profile

ORDERS = Contract(
    "orders",
    "1.0.0",
    (Column("id", Integer(), required=True), Column("amount", Decimal(12, 2)), Column("note", Text())),
    primary_key=("id",),
)
SCHEMA = (("id", "BIGINT"), ("amount", "DECIMAL(12,2)"), ("note", "VARCHAR"), ("partition_date", "DATE"))
THOUSAND = FileShape("part.parquet", 50_000, 1000, (1000,))


def evidence(profile: Profile, contract: Contract = ORDERS) -> StagedEvidence:
    outcome = Outcome(
        dataset="orders",
        partition="2026-11-01",
        fingerprint="f",
        contract_version="1.0.0",
        contract_fingerprint="c",
        code_version="1",
        run_id="run",
        objects=(),
        files=(),
        quarantine_files=(),
    )
    return StagedEvidence(contract, outcome, profile)
