"""Which table of DynamoDB the ledger is in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.errors import SettingInvalid

if TYPE_CHECKING:
    from resources.s3_place import S3Place

SCHEME = "dynamodb://"

_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")


@dataclass(frozen=True, slots=True)
class DynamoPlace:
    """A table in the region and account of a place in S3."""

    s3: S3Place
    table: str

    def __str__(self) -> str:
        return f"the DynamoDB table {self.table} in {self.s3.region}"


def parse_dynamo_place(url: str, s3: S3Place | None) -> DynamoPlace | None:
    """Return the table that SLUICE_LEDGER_URL names, None when it names another kind; raises SettingInvalid."""
    if not url.startswith(SCHEME):
        return None
    table = url.removeprefix(SCHEME)
    if not _TABLE.fullmatch(table):
        raise SettingInvalid(
            name="SLUICE_LEDGER_URL",
            value=f"{SCHEME}...",
            problem="names no table",
            cure="Write dynamodb://TABLE with 3 to 255 letters, digits, dots, - and _.",
        )
    if s3 is None:
        raise SettingInvalid(
            name="SLUICE_LEDGER_URL",
            value=url,
            problem="is a table of DynamoDB, but SLUICE_ENV is local",
            cure="Set SLUICE_ENV=aws, or name another ledger.",
        )
    return DynamoPlace(s3, table)
