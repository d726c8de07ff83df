"""The ledger that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resources.ledger import Ledger
    from resources.settings import Settings


def open_ledger(settings: Settings) -> Ledger:
    """Raises LedgerUnavailable, LedgerMissing, LedgerTooNew."""
    if settings.dynamo is not None:
        from resources.dynamo_ledger import DynamoLedger

        return DynamoLedger(settings.dynamo)
    from resources.sql_ledger import SqlLedger

    return SqlLedger(settings.ledger_url)
