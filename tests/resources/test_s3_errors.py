"""What S3 and botocore refuse, as errors of Sluice's own with their class of failure."""

from __future__ import annotations

import pytest
from botocore import exceptions as boto  # type: ignore[import-untyped]

from resources.failures import classify
from resources.s3_errors import explained
from resources.s3_place import S3Place
from sluice.errors import BucketElsewhere, BucketMissing, CredentialsInvalid, SluiceError, StoreForbidden
from sluice.healing.failure import FailureClass

PLACE = S3Place("lake", "prod/", "eu-central-1")


def refusal(code: str, operation: str = "GetObject", **headers: str) -> boto.ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": headers}}
    return boto.ClientError(answer, operation)


@pytest.mark.parametrize(
    ("raised", "kind", "failure_class", "says"),
    [
        pytest.param(refusal("NoSuchBucket"), BucketMissing, FailureClass.CODE, 'no bucket "lake"', id="bucket"),
        pytest.param(refusal("404", "HeadBucket"), BucketMissing, FailureClass.CODE, "create the bucket", id="head"),
        pytest.param(
            refusal("PermanentRedirect", **{"x-amz-bucket-region": "eu-west-1"}),
            *(BucketElsewhere, FailureClass.CODE, "not in eu-central-1, but in eu-west-1"),
            id="region",
        ),
        pytest.param(refusal("301"), BucketElsewhere, FailureClass.CODE, "the region of the bucket", id="redirect"),
        pytest.param(
            refusal("AccessDenied", "PutObject"),
            *(StoreForbidden, FailureClass.PERMISSION, "may not do PutObject on s3://lake/prod/raw/a"),
            id="denied",
        ),
        pytest.param(
            refusal("403", "HeadObject"), StoreForbidden, FailureClass.PERMISSION, "HeadObject", id="head 403"
        ),
        pytest.param(
            refusal("ExpiredToken"), CredentialsInvalid, FailureClass.PERMISSION, "have expired", id="expired"
        ),
        pytest.param(
            refusal("InvalidAccessKeyId"), CredentialsInvalid, FailureClass.PERMISSION, "not known to AWS", id="unknown"
        ),
        pytest.param(
            refusal("RequestTimeTooSkewed"), CredentialsInvalid, FailureClass.PERMISSION, "Set the clock", id="clock"
        ),
        pytest.param(
            boto.NoCredentialsError(), CredentialsInvalid, FailureClass.PERMISSION, "nowhere to be found", id="none"
        ),
        pytest.param(
            boto.ProfileNotFound(profile="prod"), CredentialsInvalid, FailureClass.PERMISSION, "Log in", id="profile"
        ),
    ],
)
def test_settings_and_account_are_to_blame(
    raised: Exception, kind: type[SluiceError], failure_class: FailureClass, says: str
) -> None:
    with pytest.raises(kind, match=says) as caught, explained(PLACE, "raw/a"):
        raise raised

    assert classify(caught.value).failure_class is failure_class
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize(
    ("raised", "failure_class"),
    [
        pytest.param(refusal("SlowDown"), FailureClass.UPSTREAM_UNAVAILABLE, id="throttled reading"),
        pytest.param(refusal("SlowDown", "PutObject"), FailureClass.SINK_UNAVAILABLE, id="throttled writing"),
        pytest.param(refusal("RequestTimeout", "PutObject"), FailureClass.TRANSIENT, id="timeout"),
        pytest.param(boto.EndpointConnectionError(endpoint_url="x"), FailureClass.TRANSIENT, id="network"),
        pytest.param(boto.ReadTimeoutError(endpoint_url="x"), FailureClass.TRANSIENT, id="read timeout"),
        pytest.param(boto.ResponseStreamingError(error="cut"), FailureClass.TRANSIENT, id="broken body"),
    ],
)
def test_what_passes_by_itself_is_left_as_it_is(raised: Exception, failure_class: FailureClass) -> None:
    with pytest.raises(type(raised)) as caught, explained(PLACE):
        raise raised

    assert caught.value is raised
    assert classify(caught.value).failure_class is failure_class
