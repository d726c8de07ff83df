"""What S3's refusals mean, as errors that say what to do; all others pass through and are classified as they are."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from resources.aws_errors import account_meaning, local_meaning
from sluice.errors import BucketElsewhere, BucketMissing, SluiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resources.s3_place import S3Place

MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
PRECONDITION_FAILED = frozenset({"PreconditionFailed", "412"})
_ELSEWHERE = frozenset(
    {
        *("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
        *("TemporaryRedirect", "301", "307"),
    }
)


@contextmanager
def explained(place: S3Place, key: str = "") -> Iterator[None]:
    """Turn what the settings or the account are to blame for into errors of Sluice's own."""
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        yield
    except ClientError as error:
        if (meant := _meaning(error, place, key)) is not None:
            raise meant from error
        raise
    except BotoCoreError as error:
        if (meant := local_meaning(error)) is not None:
            raise meant from error
        raise


def refuse_other_region(response: Any = None, operation: Any = None, **_: object) -> None:  # noqa: ANN401
    """Stop botocore from following S3 to another region: it would work, at another price, and Arrow does not follow."""
    from botocore.exceptions import ClientError

    parsed = response[1] if response else {}
    if parsed.get("Error", {}).get("Code") in _ELSEWHERE:
        raise ClientError(parsed, operation.name)


def code_of(error: Any) -> str:  # noqa: ANN401  botocore has no types
    return str(error.response.get("Error", {}).get("Code", ""))


def region_of(error: Any) -> str | None:  # noqa: ANN401
    """Return the region that S3 names in a refusal."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    found = headers.get("x-amz-bucket-region") or error.response.get("Error", {}).get("Region")
    return str(found) if found else None


def _meaning(error: Any, place: S3Place, key: str) -> SluiceError | None:  # noqa: ANN401
    code, operation = code_of(error), str(error.operation_name)
    if code == "NoSuchBucket" or (code == "404" and operation == "HeadBucket"):
        return BucketMissing(bucket=place.bucket)
    if code in _ELSEWHERE:
        return BucketElsewhere(bucket=place.bucket, asked=place.region, found=region_of(error))
    return account_meaning(code, operation, place.url(key))
