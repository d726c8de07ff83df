"""Looks at what Sluice uses of Glue and Athena: the database, and a workgroup that limits what a query may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.athena import fetch_cutoff
from resources.aws_errors import explain_credentials, tell_refusals
from sluice.checked import Checked, advice, broken, good
from sluice.errors import SluiceError, WorkgroupUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resources.glue_place import GluePlace

_ATTEMPTS = 2


def check_glue(place: GluePlace) -> Iterator[Checked]:
    yield _told("tables", place, _check_database)
    yield _told("athena", place, _check_workgroup)


def _told(what: str, place: GluePlace, look: Callable[[str, GluePlace], Checked]) -> Checked:
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        with explain_credentials():
            return look(what, place)
    except WorkgroupUnusable as error:  # all but queries in Athena works
        return advice(what, error.message, error.cure)
    except SluiceError as error:
        return broken(what, error.message, error.cure)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an error")
        return broken(what, f"{error.operation_name} gave {code}", "Look the code up in the documentation of AWS.")
    except BotoCoreError as error:
        found = f"{place.s3.endpoint or place.s3.region} cannot be reached ({type(error).__name__})"
        return broken(what, found, "Check the network, the proxy and SLUICE_AWS_REGION.")


def _check_database(what: str, place: GluePlace) -> Checked:
    client = place.s3.client("glue", attempts=_ATTEMPTS)
    tell_refusals(client, str(place))
    try:
        client.get_database(Name=place.database)
    except client.exceptions.EntityNotFoundException:
        cure = f"""aws glue create-database --database-input '{{"Name": "{place.database}"}}'"""
        return advice(what, f"there is no Glue database {place.database}; the first publication makes it", cure)
    return good(what, f"are in {place}")


def _check_workgroup(what: str, place: GluePlace) -> Checked:
    client = place.s3.client("athena", attempts=_ATTEMPTS)
    tell_refusals(client, f"the Athena workgroup {place.workgroup}")
    cutoff = fetch_cutoff(client, place.workgroup)
    return good(what, f"a query in workgroup {place.workgroup} may read {cutoff:,} bytes")
