"""The Iceberg catalog that Athena and others share: AWS Glue; tables' metadata are in S3, beside their data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import CommitStateUnknownException

from resources.aws_errors import tell_refusals
from resources.glue_columns import described
from resources.table_metadata import LeanCommits

if TYPE_CHECKING:
    from resources.glue_place import GluePlace

_SERVER_ERROR = 500


class TablesInGlue(LeanCommits, GlueCatalog):
    """pyiceberg's catalog in Glue. A commit names the version that it saw, and Glue refuses it when there is a newer.

    Leans on names that pyiceberg keeps to itself; pyproject.toml pins the minor version.
    """

    def _create_glue_table(self, database_name: str, table_name: str, table_input: Any) -> None:  # noqa: ANN401  botocore has no types
        super()._create_glue_table(database_name, table_name, described(table_input))

    def _update_glue_table(self, database_name: str, table_name: str, table_input: Any, version_id: str) -> None:  # noqa: ANN401
        from botocore.exceptions import ClientError, HTTPClientError  # type: ignore[import-untyped]

        try:
            super()._update_glue_table(database_name, table_name, described(table_input), version_id)
        except HTTPClientError as error:
            raise CommitStateUnknownException(f"No answer of Glue to a commit of {table_name}: {error}") from error
        except ClientError as error:
            if int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) < _SERVER_ERROR:
                raise
            raise CommitStateUnknownException(f"Glue failed in a commit of {table_name}: {error}") from error

    def _is_s3tables_database(self, database_name: str) -> bool:  # noqa: ARG002  pyiceberg's signature
        return False  # asked at each commit, by a request of its own


def open_glue_catalog(place: GluePlace) -> TablesInGlue:
    """Open the catalog; nothing is asked of AWS before it is used."""
    client = place.s3.client("glue")
    tell_refusals(client, str(place))
    return TablesInGlue("sluice", client, warehouse=place.warehouse, **place.s3.iceberg_properties())
