"""Arrow's own client of S3, as pyiceberg and queries use it: it is patient, and its refusals have a class."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from resources.arrow_s3_errors import arrow_refusal
from resources.failures import classify
from resources.s3_place import S3Place
from sluice.healing.failure import FailureClass
from tests.flaky_proxy import Refusal, flaky

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyarrow.fs import S3FileSystem

NOBODY = "http://127.0.0.1:1"
SOURCE, SINK = FailureClass.UPSTREAM_UNAVAILABLE, FailureClass.SINK_UNAVAILABLE


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def read(system: S3FileSystem) -> object:
    return system.open_input_file("bucket/key").read()


def write(system: S3FileSystem) -> object:
    with system.open_output_stream("bucket/key") as stream:
        return stream.write(b"words")


def ask(system: S3FileSystem) -> object:
    return system.get_file_info("bucket/key")


@pytest.mark.parametrize(
    ("refusal", "act", "expected"),
    [
        pytest.param(Refusal(403, "AccessDenied"), read, FailureClass.PERMISSION, id="forbidden, reading"),
        pytest.param(Refusal(403, "AccessDenied"), write, FailureClass.PERMISSION, id="forbidden, writing"),
        pytest.param(Refusal(400, "ExpiredToken"), write, FailureClass.PERMISSION, id="expired"),
        pytest.param(Refusal(403, "InvalidAccessKeyId"), write, FailureClass.PERMISSION, id="unknown key"),
        pytest.param(Refusal(403, "SignatureDoesNotMatch"), write, FailureClass.PERMISSION, id="wrong secret"),
        pytest.param(Refusal(404, "NoSuchBucket"), write, FailureClass.CODE, id="no bucket"),
        pytest.param(Refusal(301, "PermanentRedirect"), write, FailureClass.CODE, id="elsewhere"),
        pytest.param(Refusal(301, "PermanentRedirect"), ask, FailureClass.UNKNOWN, id="elsewhere, without a body"),
    ],
)
def test_a_refusal_has_its_class(
    refusal: Refusal, act: Callable[[S3FileSystem], object], expected: FailureClass
) -> None:
    with flaky(NOBODY, lambda *_: refusal) as endpoint:
        system = S3Place("bucket", "", "eu-central-1", endpoint).file_system()
        with pytest.raises(OSError, match="AWS Error") as caught:
            act(system)

    assert classify(caught.value).failure_class is expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("AWS Error SLOW_DOWN during UploadPart operation: Please reduce your request rate.", SINK),
        ("AWS Error SERVICE_UNAVAILABLE during GetObject operation: ", SOURCE),
        ("AWS Error UNKNOWN (HTTP status 503) during HeadObject operation: No response body.", SOURCE),
        ("AWS Error INTERNAL_FAILURE during UploadPart operation: words", FailureClass.TRANSIENT),
        ("AWS Error NETWORK_CONNECTION during GetObject operation: curlCode: 7", FailureClass.TRANSIENT),
        ("AWS Error SOMETHING_NEW during GetObject operation: words", FailureClass.UNKNOWN),
    ],
)
def test_what_arrow_said_after_its_last_try_has_its_class(words: str, expected: FailureClass) -> None:
    assert classify(OSError(f"When reading key 'a' in bucket 'b': {words}")).failure_class is expected


@pytest.mark.parametrize(
    "error",
    [OSError(28, "AWS Error SLOW_DOWN during UploadPart operation"), ValueError("AWS Error A during B operation")],
    ids=["of the system", "of another type"],
)
def test_another_error_is_none_of_arrows(error: Exception) -> None:
    assert arrow_refusal(error) is None


def through_arrow(place: S3Place) -> object:
    return place.file_system().get_file_info("bucket/key")


def through_pyiceberg(place: S3Place) -> object:
    from pyiceberg.io.pyarrow import PyArrowFileIO

    return PyArrowFileIO(place.iceberg_properties()).new_input("s3://bucket/key").open()


@pytest.mark.parametrize("act", [through_arrow, through_pyiceberg], ids=["arrow", "pyiceberg"])
def test_a_throttled_request_is_sent_more_often_than_arrow_would(act: Callable[[S3Place], object]) -> None:
    asked: Counter[str] = Counter()

    def trouble(method: str, _path: str) -> Refusal:
        asked[method] += 1
        return Refusal(503, "SlowDown") if asked[method] < 4 else Refusal(403, "AccessDenied")

    with flaky(NOBODY, trouble) as endpoint, pytest.raises(OSError, match="ACCESS_DENIED"):
        act(S3Place("bucket", "", "eu-central-1", endpoint))

    assert asked["HEAD"] == 4
