"""Looks at the ledger's table in DynamoDB: is it there, may it be read, do old notices go, can it be restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.dynamo_ledger.opening import (
    SCHEMA_VERSION,
    can_be_restored,
    create_table,
    expires_items,
    fetch_schema_version,
)
from resources.dynamo_ledger.table import Table, open_client
from sluice.checked import Checked, advice, broken, good
from sluice.errors import SluiceError, StoreForbidden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.dynamo_place import DynamoPlace

_FIX = "sluice doctor --fix"


def check_dynamo(place: DynamoPlace, *, fix: bool = False) -> Iterator[Checked]:
    """Check the table; with `fix` make first what is missing."""
    from botocore.exceptions import BotoCoreError, ClientError, WaiterError  # type: ignore[import-untyped]

    try:
        if fix:
            create_table(place)
        yield _check_version(place)
        yield from _check_care(place)
    except SluiceError as error:
        yield broken("ledger", error.message, error.cure)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an error")
        found = f"{place} gave {code} for {error.operation_name}"
        yield broken("ledger", found, "Look the code up in the documentation of DynamoDB.")
    except WaiterError:
        yield broken("ledger", f"{place} is still being made", "Wait a minute. Then: sluice doctor")
    except BotoCoreError as error:
        found = f"{place.s3.endpoint or place.s3.region} cannot be reached ({type(error).__name__})"
        yield broken("ledger", found, "Check the network, the proxy and SLUICE_AWS_REGION.")


def _check_version(place: DynamoPlace) -> Checked:
    version = fetch_schema_version(Table(place))
    if version is None:
        return good("ledger", f"{place}, which is empty")
    if version > SCHEMA_VERSION:
        found = f"{place} has schema {version}, this Sluice knows {SCHEMA_VERSION}"
        return broken("ledger", found, "Use the Sluice that wrote it, or a newer one.")
    return good("ledger", f"{place} has schema {version}")


def _check_care(place: DynamoPlace) -> Iterator[Checked]:
    client = open_client(place)
    try:
        if not expires_items(client, place.table):
            yield advice("ledger's age", f"{place} has no time to live: notices stay for ever", _FIX)
        if not can_be_restored(client, place.table):
            yield advice("ledger's backup", f"{place} has no point-in-time recovery", _FIX)
    except StoreForbidden:
        return  # who works with the ledger need not see how it is kept
