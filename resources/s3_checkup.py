"""Looks at what Sluice uses of AWS: credentials, bucket, region, permissions, versions, clock."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from resources.s3_errors import explained, region_of
from resources.s3_store import S3ObjectStore
from sluice.checked import Checked, advice, broken, good
from sluice.errors import BucketElsewhere, SluiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from resources.clock import Clock
    from resources.s3_place import S3Place

PROBE = "_doctor/probe"
"""The one object that is written, over and over: to delete it would take a permission that Sluice does not need."""

_ATTEMPTS = 2
_SKEW, _LARGE_SKEW = timedelta(seconds=30), timedelta(minutes=10)


def check_s3(place: S3Place, clock: Clock) -> Iterator[Checked]:
    """Look at one thing after another; where nothing after it can be right, stop."""
    for what, look in (
        ("credentials", lambda: _check_credentials(place)),
        ("bucket", lambda: _check_bucket(place)),
        ("clock", lambda: _check_clock(place, clock)),
        ("list", lambda: _check_list(place)),
        ("write and read", lambda: _check_write(place)),
        ("versions", lambda: _check_versions(place)),
    ):
        checked = _told(what, place, look)
        yield checked
        if checked.cure and what in {"credentials", "bucket"} and checked.state == "broken":
            return


def _told(what: str, place: S3Place, look: Callable[[], Checked]) -> Checked:
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        with explained(place):
            return look()
    except SluiceError as error:
        return broken(what, error.message, error.cure)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an error")
        return broken(what, f"{error.operation_name} gave {code}", "Look the code up in the documentation of S3.")
    except BotoCoreError as error:
        where = place.endpoint or f"S3 in {place.region}"
        found = f"{where} cannot be reached ({type(error).__name__})"
        return broken(what, found, "Check the network, the proxy and SLUICE_AWS_REGION.")


def _check_credentials(place: S3Place) -> Checked:
    who = place.client("sts", attempts=_ATTEMPTS).get_caller_identity()
    return good("credentials", str(who["Arn"]))


def _check_bucket(place: S3Place) -> Checked:
    from botocore.exceptions import ClientError

    try:
        answer = place.client(attempts=_ATTEMPTS).head_bucket(Bucket=place.bucket)
    except ClientError as error:
        # A bucket of another region refuses in several ways, and always says where it is.
        if (region := region_of(error)) is not None and region != place.region:
            raise BucketElsewhere(bucket=place.bucket, asked=place.region, found=region) from error
        raise
    region = answer.get("BucketRegion") or answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
    if region and region != place.region:
        raise BucketElsewhere(bucket=place.bucket, asked=place.region, found=region)
    return good("bucket", f"{place.url('')} in {place.region}")


def _check_clock(place: S3Place, clock: Clock) -> Checked:
    answer = place.client(attempts=_ATTEMPTS).head_bucket(Bucket=place.bucket)
    now, theirs = clock.now(), parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = abs(now - theirs)
    found = f"differs from that of S3 by {skew.total_seconds():.0f} s"
    if skew > _LARGE_SKEW:
        return broken("clock", found, "Set the clock of this machine: S3 refuses requests from 15 minutes on.")
    return advice("clock", found, "Let this machine keep its time by NTP.") if skew > _SKEW else good("clock", found)


def _check_list(place: S3Place) -> Checked:
    found = len(list(islice(S3ObjectStore(place).list("raw/"), 1)))
    return good("list", "there are raw objects" if found else "no raw object has landed yet")


def _check_write(place: S3Place) -> Checked:
    store, content = S3ObjectStore(place), uuid4().bytes
    _put(store, content)
    with store.open(PROBE) as file:
        read = file.read()
    if read != content:
        return broken(
            "write and read", f"{store.uri(PROBE)} is not what was written", "Use a store that is consistent."
        )
    if _put(store, content, only_if_absent=True):
        cure = "Use S3 itself, or a server that knows If-None-Match: without it two runs can overwrite each other."
        return broken("write and read", "the store overwrites what was to be written only if absent", cure)
    encrypted = " under the key of SLUICE_KMS_KEY" if place.kms_key else ""
    return good("write and read", f"{store.uri(PROBE)} was written{encrypted} and read")


def _put(store: S3ObjectStore, content: bytes, *, only_if_absent: bool = False) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "probe"
        file.write_bytes(content)
        return store.put(PROBE, file, only_if_absent=only_if_absent)


def _check_versions(place: S3Place) -> Checked:
    cure = (
        f"aws s3api put-bucket-versioning --bucket {place.bucket} --versioning-configuration Status=Enabled"
        " (else an overwritten raw object is lost)"
    )
    with suppress(SluiceError), explained(place):
        answer: Any = place.client(attempts=_ATTEMPTS).get_bucket_versioning(Bucket=place.bucket)
        if answer.get("Status") == "Enabled":
            return good("versions", "are kept of every object")
        return advice("versions", "of objects are not kept", cure)
    return advice("versions", "cannot be told: s3:GetBucketVersioning is not allowed", "Allow it, or look yourself.")
