"""Throttling, broken connections, lost answers and kills: nothing is lost, and nothing is written twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from resources.failures import classify
from resources.s3_store import S3ObjectStore
from sluice.healing.failure import FailureClass
from tests.flaky_proxy import Trouble, flaky

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from resources.s3_place import S3Place
    from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws

MB = 1 << 20


@dataclass
class Plan:
    """The first `times` requests of each kind that `applies` to go wrong."""

    trouble: Trouble
    applies: Callable[[str, str], bool]
    times: int
    seen: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, method: str, path: str) -> Trouble | None:
        with self.lock:
            self.seen["requests"] += self.applies(method, path)
            return self.trouble if self.applies(method, path) and self.seen["requests"] <= self.times else None


@pytest.fixture
def place(aws: AwsServer) -> S3Place:
    return aws.place(aws.new_bucket(f"faults-{uuid4().hex}"))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a tenth of the time between tries: how long is botocore's business, that it tries again is ours."""
    import time

    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(seconds / 10))


def written(folder: Path, content: bytes) -> Path:
    path = folder / uuid4().hex
    path.write_bytes(content)
    return path


def read(store: S3ObjectStore, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()


@pytest.mark.parametrize(
    ("method", "size"), [("PUT", 100), ("PUT", 20 * MB), ("GET", 20 * MB)], ids=["put", "put in parts", "get"]
)
def test_a_throttled_request_is_sent_again(place: S3Place, tmp_path: Path, method: str, size: int) -> None:
    content, plan = os.urandom(size), Plan(Trouble.SLOW_DOWN, lambda found, _: found == method, times=3)
    with flaky(str(place.endpoint), plan) as endpoint:
        store = S3ObjectStore(replace(place, endpoint=endpoint))

        store.put("raw/a", written(tmp_path, content))

        assert read(store, "raw/a") == content
    assert plan.seen["requests"] > 3


def test_a_body_that_breaks_off_is_fetched_again(place: S3Place, tmp_path: Path) -> None:
    content, plan = os.urandom(12 * MB), Plan(Trouble.CUT_OFF, lambda method, _: method == "GET", times=3)
    S3ObjectStore(place).put("raw/a", written(tmp_path, content))

    with flaky(str(place.endpoint), plan) as endpoint:
        assert read(S3ObjectStore(replace(place, endpoint=endpoint)), "raw/a") == content


@pytest.mark.parametrize(
    ("size", "applies"),
    [
        pytest.param(100, lambda method, path: method == "PUT" and "/raw/" in path, id="whole"),
        pytest.param(20 * MB, lambda method, path: method == "POST" and "uploadId=" in path, id="in parts"),
    ],
)
def test_a_write_whose_answer_is_lost_has_won(
    place: S3Place, tmp_path: Path, size: int, applies: Callable[[str, str], bool]
) -> None:
    plan = Plan(Trouble.LOST_ANSWER, applies, times=1)

    with flaky(str(place.endpoint), plan) as endpoint:
        store = S3ObjectStore(replace(place, endpoint=endpoint))
        assert store.put("raw/a", written(tmp_path, b"x" * size), only_if_absent=True) is True

    assert plan.seen["requests"] == 2


def test_a_bucket_that_stays_throttled_is_an_unavailable_sink(place: S3Place, tmp_path: Path) -> None:
    source = written(tmp_path, b"one")
    plan = Plan(Trouble.SLOW_DOWN, lambda method, _: method == "PUT", times=10_000)

    with (
        flaky(str(place.endpoint), plan) as endpoint,
        pytest.raises(ClientError) as caught,
    ):
        S3ObjectStore(replace(place, endpoint=endpoint)).put("raw/a", source)

    assert classify(caught.value).failure_class is FailureClass.SINK_UNAVAILABLE
    assert plan.seen["requests"] == 8
    assert source.exists()


@pytest.mark.parametrize(
    "applies",
    [
        pytest.param(lambda method, path: method == "PUT" and "partNumber=3" in path, id="between parts"),
        pytest.param(lambda method, path: method == "POST" and "uploadId=" in path, id="before the end"),
    ],
)
def test_a_killed_put_leaves_nothing_and_is_repeated(
    place: S3Place, tmp_path: Path, applies: Callable[[str, str], bool]
) -> None:
    content, source = os.urandom(50 * MB), tmp_path / "source"
    source.write_bytes(content)
    killed = threading.Event()

    def kill(method: str, path: str) -> Trouble | None:
        if applies(method, path) and not killed.is_set():
            killed.set()
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            return Trouble.SLOW_DOWN
        return None

    with flaky(str(place.endpoint), kill) as endpoint:
        code = f"""
from pathlib import Path
from resources.s3_place import S3Place
from resources.s3_store import S3ObjectStore
S3ObjectStore(S3Place({place.bucket!r}, "", {place.region!r}, {endpoint!r})).put("raw/a", Path({str(source)!r}))
"""
        child = subprocess.Popen([sys.executable, "-c", code])
        child.wait(timeout=60)

    store = S3ObjectStore(place)
    assert (killed.is_set(), list(store.list("")), source.exists()) == (True, [], True)
    assert store.put("raw/a", source, only_if_absent=True) is True
    assert read(store, "raw/a") == content
