"""Where in AWS's catalog the tables are, and which workgroup of Athena reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resources.s3_place import S3Place

DEFAULT_WORKGROUP = "sluice"

_DATABASE = re.compile(r"[a-z0-9_]{1,252}")
_WORKGROUP = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True)
class GluePlace:
    """A database of Glue in the region and account of a place in S3."""

    s3: S3Place
    database: str
    workgroup: str = DEFAULT_WORKGROUP

    @property
    def warehouse(self) -> str:
        """Where tables' metadata are."""
        return self.s3.url("tables")

    def __str__(self) -> str:
        return f"the Glue database {self.database}"


def parse_glue_place(environ: Mapping[str, str], s3: S3Place | None) -> GluePlace | None:
    """Return the place that SLUICE_GLUE_DATABASE and SLUICE_ATHENA_WORKGROUP name; raises SettingInvalid."""
    database = environ.get("SLUICE_GLUE_DATABASE") or ""
    workgroup = environ.get("SLUICE_ATHENA_WORKGROUP") or DEFAULT_WORKGROUP
    if not database:
        return None
    if s3 is None:
        raise SettingInvalid(
            name="SLUICE_GLUE_DATABASE",
            value=database,
            problem="says Glue, but SLUICE_ENV is local",
            cure="Set SLUICE_ENV=aws, or leave it unset.",
        )
    if not _DATABASE.fullmatch(database):
        raise SettingInvalid(
            name="SLUICE_GLUE_DATABASE",
            value=database,
            problem="is no name that Athena can read",
            cure="Use small letters, digits and _.",
        )
    if not _WORKGROUP.fullmatch(workgroup):
        raise SettingInvalid(
            name="SLUICE_ATHENA_WORKGROUP",
            value=workgroup,
            problem="is no name of a workgroup",
            cure="Use letters, digits, dot, - and _.",
        )
    return GluePlace(s3, database, workgroup)
