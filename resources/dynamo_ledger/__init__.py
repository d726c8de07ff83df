"""The ledger in one table of DynamoDB; docs/decisions/0027-dynamo-ledger.md lists its items."""

from __future__ import annotations

from resources.dynamo_ledger.acceptances import DynamoAcceptances
from resources.dynamo_ledger.arrivals import DynamoArrivals
from resources.dynamo_ledger.attempts import DynamoAttempts
from resources.dynamo_ledger.backfills import DynamoBackfills
from resources.dynamo_ledger.contract_texts import DynamoContractTexts
from resources.dynamo_ledger.incidents import DynamoIncidents
from resources.dynamo_ledger.measurements import DynamoMeasurements
from resources.dynamo_ledger.publications import DynamoPublications
from resources.dynamo_ledger.spending import DynamoSpending
from resources.dynamo_ledger.verdicts import DynamoVerdicts

__all__ = ["DynamoLedger"]


class DynamoLedger(
    DynamoArrivals,
    DynamoPublications,
    DynamoAttempts,
    DynamoVerdicts,
    DynamoAcceptances,
    DynamoMeasurements,
    DynamoSpending,
    DynamoIncidents,
    DynamoBackfills,
    DynamoContractTexts,
):
    """Several processes may write at once; each call is one conditional transaction, repeated if somebody came between.

    Constructing it makes no table; raises LedgerMissing, LedgerTooNew.
    """
