"""How a ledger's table is opened, and made by those who ask for it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from resources.aws_errors import explain_credentials, tell_refusals
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
    """Make the table as `make_table` does; raises what AWS says of the account."""
    with explain_credentials():
        client = place.s3.client("dynamodb")
        tell_refusals(client, str(place))
        make_table(client, place.table)


def make_table(client: Any, name: str) -> None:  # noqa: ANN401  botocore makes its clients at run time
    """Make the table, paid by request, with time to live and restore to any second; doing it again mends these."""
    with suppress(client.exceptions.ResourceInUseException):
        client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **_keys())
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    if not expires_items(client, name):
        living = {"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=living)
    if not can_be_restored(client, name):
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )


def expires_items(client: Any, name: str) -> bool:  # noqa: ANN401
    found = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return found["TimeToLiveStatus"] in {"ENABLED", "ENABLING"} and found["AttributeName"] == TTL_ATTRIBUTE


def can_be_restored(client: Any, name: str) -> bool:  # noqa: ANN401
    found = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return bool(found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED")


def _keys() -> dict[str, Any]:
    kinds = {"pk": "HASH", "sk": "RANGE"}
    return {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in kinds],
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in kinds.items()],
    }


def _note_version(draft: Draft) -> None:
    if draft.read(_SCHEMA) is None:
        draft.put(_SCHEMA, {"version": SCHEMA_VERSION})
