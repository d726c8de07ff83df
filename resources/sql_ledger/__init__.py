"""The ledger in a SQL database: SQLite on a laptop, PostgreSQL (`postgresql+psycopg2://`) for several machines."""

from __future__ import annotations

from resources.sql_ledger.acceptances import SqlAcceptances
from resources.sql_ledger.arrivals import SqlArrivals
from resources.sql_ledger.attempts import SqlAttempts
from resources.sql_ledger.backfills import SqlBackfills
from resources.sql_ledger.contract_texts import SqlContractTexts
from resources.sql_ledger.incidents import SqlIncidents
from resources.sql_ledger.measurements import SqlMeasurements
from resources.sql_ledger.publications import SqlPublications
from resources.sql_ledger.spending import SqlSpending
from resources.sql_ledger.verdicts import SqlVerdicts

__all__ = ["SqlLedger"]


class SqlLedger(
    SqlArrivals,
    SqlPublications,
    SqlAttempts,
    SqlVerdicts,
    SqlAcceptances,
    SqlMeasurements,
    SqlSpending,
    SqlIncidents,
    SqlBackfills,
    SqlContractTexts,
):
    """Several processes may write at once; each call is one short transaction.

    Constructing it makes, upgrades or checks the tables; raises LedgerTooNew, LedgerUnavailable.
    """
