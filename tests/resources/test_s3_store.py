"""What only the store in S3 can, and what it makes of S3's refusals."""

from __future__ import annotations

import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from resources.failures import classify
from resources.s3_store import Identity, S3ObjectStore
from sluice.errors import BucketElsewhere, BucketMissing, CredentialsInvalid, RawObjectChanged, SettingInvalid
from sluice.healing.failure import FailureClass

if TYPE_CHECKING:
    from pathlib import Path

    from resources.s3_place import S3Place
    from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws

MB = 1 << 20


@pytest.fixture
def place(aws: AwsServer) -> S3Place:
    return aws.place(aws.new_bucket(f"s3-{uuid4().hex}", versioned=True), "lake/")


@pytest.fixture
def store(place: S3Place) -> S3ObjectStore:
    return S3ObjectStore(place)


def written(folder: Path, content: bytes) -> Path:
    path = folder / uuid4().hex
    path.write_bytes(content)
    return path


def content_of(store: S3ObjectStore, key: str, etag: str | None = None) -> bytes:
    with store.open(key, etag=etag) as file:
        return file.read()


def test_keys_lie_below_the_prefix(store: S3ObjectStore, aws: AwsServer, tmp_path: Path) -> None:
    store.put("raw/a", written(tmp_path, b"one"))

    found = aws.client("s3").list_objects_v2(Bucket=store.place.bucket)["Contents"]

    assert [item["Key"] for item in found] == ["lake/raw/a"]
    assert store.uri("raw/a") == f"s3://{store.place.bucket}/lake/raw/a"


def test_an_etag_is_never_taken_for_a_hash_of_the_content(store: S3ObjectStore, tmp_path: Path) -> None:
    store.put("raw/a", written(tmp_path, b"one"))

    etag = store.etag("raw/a") or ""

    assert etag.startswith('"f97c5d29941bfb1b2fdab0874906ab82"@')
    assert str(Identity.parse(etag)) == etag


def test_an_overwritten_object_is_still_read_by_its_etag(store: S3ObjectStore, tmp_path: Path) -> None:
    store.put("raw/a", written(tmp_path, b"one"))
    first = store.etag("raw/a")
    store.put("raw/a", written(tmp_path, b"two"))

    assert content_of(store, "raw/a", first) == b"one"
    assert content_of(store, "raw/a") == b"two"


def test_the_same_content_again_is_no_news(store: S3ObjectStore, tmp_path: Path) -> None:
    store.put("raw/a", written(tmp_path, b"one"))
    before = [item.stamp for item in store.list("raw/")]

    store.put("raw/a", written(tmp_path, b"one"))

    assert [item.stamp for item in store.list("raw/")] == before


def test_a_bucket_without_versions_refuses_what_was_overwritten(aws: AwsServer, tmp_path: Path) -> None:
    store = S3ObjectStore(aws.place(aws.new_bucket(f"plain-{uuid4().hex}")))
    store.put("raw/a", written(tmp_path, b"one"))
    first = store.etag("raw/a")
    store.put("raw/a", written(tmp_path, b"two"))

    with pytest.raises(RawObjectChanged, match="Run the partition again"):
        store.open("raw/a", etag=first)


# ministack answers a ranged GET of a version with the whole object; plain objects it serves range by range.
@pytest.mark.parametrize("versioned", [True, False], ids=["versioned", "plain"])
@pytest.mark.parametrize("size", [MB - 1, MB, MB + 1, 9 * MB, 40 * MB + 17], ids=str)
def test_objects_of_every_size_are_read_whole(aws: AwsServer, tmp_path: Path, size: int, *, versioned: bool) -> None:
    store = S3ObjectStore(aws.place(aws.new_bucket(f"sizes-{uuid4().hex}", versioned=versioned)))
    content = os.urandom(size)
    store.put("raw/a", written(tmp_path, content))

    assert content_of(store, "raw/a") == content


def test_a_large_object_is_sent_in_parts_and_sought_in(store: S3ObjectStore, tmp_path: Path) -> None:
    content = os.urandom(100 * MB)
    store.put("raw/a", written(tmp_path, content))

    with store.open("raw/a") as file:
        found = []
        for position in (99 * MB, 3, 50 * MB + 5, 8 * MB, 0):
            file.seek(position)
            found.append(file.read(MB) == content[position : position + MB])
    assert (store.etag("raw/a") or "").partition("@")[0].endswith('-7"')
    assert found == [True] * 5


@pytest.mark.parametrize("size", [10, 20 * MB], ids=["whole", "in parts"])
def test_of_many_that_put_at_once_one_wins(store: S3ObjectStore, tmp_path: Path, size: int) -> None:
    sources = [written(tmp_path, bytes([number]) * size) for number in range(6)]
    gate = threading.Barrier(len(sources))

    def put(source: Path) -> bool:
        gate.wait()
        return S3ObjectStore(store.place).put("raw/a", source, only_if_absent=True)

    with ThreadPoolExecutor(len(sources)) as pool:
        won = list(pool.map(put, sources))

    assert won.count(True) == 1
    assert content_of(store, "raw/a")[0] == won.index(True)
    assert [source.exists() for source in sources] == [not item for item in won]


class LosingAnswers:
    """A client whose first write is done, while its answer gets lost: botocore then sends it again."""

    def __init__(self, client: Any, operation: str) -> None:
        self._client = client
        self._operation = operation

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._twice(found) if name == self._operation else found

    def _twice(self, found: Any) -> Any:
        def call(**arguments: Any) -> Any:
            found(**arguments)
            for reader in [item for item in arguments.values() if hasattr(item, "seek")]:
                reader.seek(0)
            return found(**arguments)

        return call


@pytest.mark.parametrize(
    ("size", "operation"), [(10, "put_object"), (20 * MB, "complete_multipart_upload")], ids=["whole", "in parts"]
)
def test_a_write_whose_answer_got_lost_has_won(store: S3ObjectStore, tmp_path: Path, size: int, operation: str) -> None:
    pid, client, executor = store._connected()
    store._opened = pid, LosingAnswers(client, operation), executor

    assert store.put("raw/a", written(tmp_path, b"x" * size), only_if_absent=True) is True


def test_a_store_goes_to_other_processes(store: S3ObjectStore, tmp_path: Path) -> None:
    store.put("raw/a", written(tmp_path, b"one"))

    assert content_of(pickle.loads(pickle.dumps(store)), "raw/a") == b"one"


def test_folder_markers_of_consoles_are_not_listed(store: S3ObjectStore, aws: AwsServer) -> None:
    aws.client("s3").put_object(Bucket=store.place.bucket, Key="lake/raw/", Body=b"")

    assert list(store.list("raw/")) == []


def test_a_listing_of_several_pages_is_whole(store: S3ObjectStore, tmp_path: Path) -> None:
    keys = [f"raw/{number:05d}" for number in range(1100)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: store.put(key, written(tmp_path, b"")), keys))

    assert [item.key for item in store.list("raw/")] == keys


def test_objects_are_encrypted_under_the_key_of_the_settings(place: S3Place, aws: AwsServer, tmp_path: Path) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    store = S3ObjectStore(replace(place, kms_key=key))

    store.put("raw/a", written(tmp_path, b"one"))

    found = aws.client("s3").head_object(Bucket=place.bucket, Key="lake/raw/a")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", key)
    assert content_of(store, "raw/a") == b"one"


class TestRefusals:
    def test_a_bucket_that_is_not_there(self, aws: AwsServer) -> None:
        with pytest.raises(BucketMissing, match='no bucket "nowhere-at-all"') as caught:
            list(S3ObjectStore(aws.place("nowhere-at-all")).list(""))

        assert classify(caught.value).failure_class is FailureClass.CODE

    def test_a_bucket_of_another_region_is_named_with_its_region(self, aws: AwsServer) -> None:
        bucket = aws.new_bucket(f"far-{uuid4().hex}", region="eu-west-1")
        store = S3ObjectStore(aws.place(bucket, region="us-west-2"))

        with pytest.raises(BucketElsewhere, match="SLUICE_AWS_REGION=eu-west-1") as caught:
            list(store.list(""))
        assert classify(caught.value).failure_class is FailureClass.CODE

    def test_no_credentials(self, place: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

        with pytest.raises(CredentialsInvalid, match="nowhere to be found") as caught:
            list(S3ObjectStore(place).list(""))
        assert classify(caught.value).failure_class is FailureClass.PERMISSION


def test_times_are_those_of_the_server(store: S3ObjectStore, tmp_path: Path) -> None:
    store.put("raw/a", written(tmp_path, b"one"))

    (item,) = store.list("raw/")

    assert abs((datetime.now(UTC) - item.modified_at).total_seconds()) < 60


def test_what_is_no_place_in_s3_is_refused() -> None:
    from resources.s3_place import parse_s3_url

    assert parse_s3_url("s3://lake/a/b/", variable="SLUICE_STORE") == ("lake", "a/b/")
    with pytest.raises(SettingInvalid, match="s3://BUCKET"):
        parse_s3_url("lake/a", variable="SLUICE_STORE")
