"""Ledgers that tests open by a URL: also one that another process opens at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from resources.dynamo_place import DynamoPlace
from resources.s3_place import S3Place
from tests.aws_server import REGION

if TYPE_CHECKING:
    from resources.ledger import Ledger
    from tests.aws_server import AwsServer

_SCHEME = "dynamodb+"


def dynamo_url(server: AwsServer, table: str) -> str:
    """Return what `opened` takes; a user's URL has no server."""
    return f"{_SCHEME}{server.endpoint}/{table}"


def dynamo_place(url: str) -> DynamoPlace:
    parts = urlsplit(url.removeprefix(_SCHEME))
    return DynamoPlace(S3Place("lake", "", REGION, f"{parts.scheme}://{parts.netloc}"), parts.path.strip("/"))


def opened(url: str) -> Ledger:
    if url.startswith(_SCHEME):
        from resources.dynamo_ledger import DynamoLedger

        return DynamoLedger(dynamo_place(url))
    from resources.sql_ledger import SqlLedger

    return SqlLedger(url)
