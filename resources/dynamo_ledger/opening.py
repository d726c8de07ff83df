"""How a ledger's table is opened, and made by those who ask for it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from resources.dynamo_ledger.draft import change
from resources.dynamo_ledger.table import Table
from sluice.errors import LedgerTooNew

if TYPE_CHECKING:
    from resources.dynamo_ledger.draft import Draft
    from resources.dynamo_place import DynamoPlace

SCHEMA_VERSION = 1
"""Of keys and items; docs/decisions/0027-dynamo-ledger.md has them."""

TTL_ATTRIBUTE = "expires_at"

_SCHEMA = ("SCHEMA", "SCHEMA")


def open_table(place: DynamoPlace) -> Table:
    """Raises LedgerMissing, LedgerTooNew and what AWS says of the account; makes no table.

    A name that is misspelt would otherwise be a new ledger, which knows of nothing.
    """
    table = Table(place)
    found = fetch_schema_version(table)
    if found is None:
        change(table, _note_version)
    elif found > SCHEMA_VERSION:
        raise LedgerTooNew(found=found, supported=SCHEMA_VERSION)
    return table


def fetch_schema_version(table: Table) -> int | None:
    """Return the version that the table's items have, None while it is empty."""
    found = table.get(_SCHEMA)
    return None if found is None else int(found["version"])


def create_table(place: DynamoPlace) -> None:
    """Make the table, paid by request, with time to live and restore to any second; what is there stays."""
    client = place.s3.client("dynamodb")
    with suppress(client.exceptions.ResourceInUseException):  # a killed one left off here: the rest follows
        client.create_table(TableName=place.table, BillingMode="PAY_PER_REQUEST", **_keys())
    client.get_waiter("table_exists").wait(TableName=place.table, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    keep_table(client, place.table)


def keep_table(client: Any, name: str) -> None:  # noqa: ANN401  botocore makes its clients at run time
    """Switch on what lets old notices go and lost items come back; doing it again changes nothing."""
    if client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED":
        living = {"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=living)
    client.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def _keys() -> dict[str, Any]:
    kinds = {"pk": "HASH", "sk": "RANGE"}
    return {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in kinds],
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in kinds.items()],
    }


def _note_version(draft: Draft) -> None:
    if draft.read(_SCHEMA) is None:
        draft.put(_SCHEMA, {"version": SCHEMA_VERSION})
