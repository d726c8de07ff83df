"""The object store in S3: writes are conditional and whole, reads are pinned to one version of an object."""

from __future__ import annotations

import errno
import io
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

from resources.object_store import Listed, check_key, has_hidden_part
from resources.s3_errors import MISSING, PRECONDITION_FAILED, code_of, explained
from resources.s3_file import FIRST_BYTES, S3File
from sluice.errors import RawObjectChanged, RawObjectCutShort

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from resources.s3_place import S3Place

_PART_BYTES = 16 << 20
_MOST_PARTS = 9_000  # S3 allows 10,000
_THREADS = 8
_BODY_ATTEMPTS = 6
_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 20.0
_TOKEN = "sluice-put"  # noqa: S105  says who wrote an object, opens nothing
_EMPTY = frozenset({"InvalidRange", "416"})
_CONFLICT = frozenset({"ConditionalRequestConflict", "409"})


@dataclass(frozen=True, slots=True)
class Identity:
    """What an object's ETag is in Sluice: S3's own in its quotes, and the version where the bucket keeps versions.

    S3's is no hash of the content: it depends on the parts that an object was sent in, and on its encryption. The
    quotes tell it from the local store's, which is one and is checked.
    """

    etag: str
    version: str | None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Identity:
        version = answer.get("VersionId")
        return cls(str(answer["ETag"]), None if version in {None, "null"} else str(version))

    @classmethod
    def parse(cls, text: str) -> Identity:
        etag, separator, version = text.rpartition("@")
        return cls(etag, version) if separator and etag.endswith('"') else cls(text, None)

    def __str__(self) -> str:
        return f"{self.etag}@{self.version}" if self.version else self.etag

    @property
    def condition(self) -> dict[str, str]:
        """What makes a request answer about exactly this object."""
        pinned = {"VersionId": self.version} if self.version else {}
        return {"IfMatch": self.etag, **pinned}


class S3ObjectStore:
    """Objects below one prefix of one bucket. Connections are opened when first used, anew in a forked process."""

    def __init__(self, place: S3Place) -> None:
        self.place = place
        self._lock = threading.Lock()
        self._opened: tuple[int, Any, ThreadPoolExecutor] | None = None

    def __reduce__(self) -> tuple[type[S3ObjectStore], tuple[S3Place]]:
        return S3ObjectStore, (self.place,)  # another process opens connections of its own

    def list(self, prefix: str) -> Iterator[Listed]:
        """Yield in key order, which is S3's own. Times are to the second."""
        return (item for item in self.everything(prefix) if not has_hidden_part(item.key))

    def everything(self, prefix: str) -> Iterator[Listed]:
        pages = self._client.get_paginator("list_objects_v2")
        with explained(self.place, prefix):
            for page in pages.paginate(Bucket=self.place.bucket, Prefix=self.place.prefix + prefix):
                yield from filter(None, map(self._listed, page.get("Contents", ())))

    def watch(self, prefix: str) -> None:
        """Nothing is cheaper here than a listing."""

    def remove(self, key: str) -> None:
        """Remove what is there now; a bucket with versions keeps it as one that is no longer current."""
        check_key(key)
        with explained(self.place, key):
            self._client.delete_object(**self._where(key))

    def etag(self, key: str, *, stamp: str | None = None) -> str | None:
        found = self._head(key)
        if found is None or stamp not in {None, str(found["ETag"])}:
            return None
        return str(Identity.of(found))

    def open(self, key: str, *, etag: str | None = None) -> BinaryIO:
        pinned = None if etag is None else Identity.parse(etag)
        with explained(self.place, key):
            answer, first = self._first(key, pinned)
        found, size = Identity.of(answer), _size(answer)
        fetch = partial(self._fetch, key, found)
        raw = S3File(fetch, first, size, self._executor)
        return io.BufferedReader(raw, FIRST_BYTES)

    def put(self, key: str, source: Path, *, only_if_absent: bool = False) -> bool:
        check_key(key)
        token = uuid4().hex
        options: dict[str, Any] = {**self._where(key), **self.place.encryption(), "Metadata": {_TOKEN: token}}
        condition = {"IfNoneMatch": "*"} if only_if_absent else {}
        with explained(self.place, key):
            done = self._written(source, options, condition, token)
        if done:
            source.unlink()
        return done

    def uri(self, key: str) -> str:
        return self.place.url(key)

    def _written(self, source: Path, options: dict[str, Any], condition: dict[str, str], token: str) -> bool:
        """Send the file; a refusal by an object that this very call has written (its answer got lost) is none."""
        from botocore.exceptions import ClientError  # type: ignore[import-untyped]

        send = self._send_parts if source.stat().st_size > _PART_BYTES else self._send_whole
        attempt = 0
        while True:
            try:
                send(source, options, condition)
                return True
            except ClientError as error:
                code = code_of(error)
                if code in _CONFLICT and attempt < _BODY_ATTEMPTS:  # another writer is at it: who wins, shows next time
                    attempt += 1
                    _pause(attempt)
                    continue
                if code in PRECONDITION_FAILED or code == "NoSuchUpload":
                    if self._is_mine(options, token):
                        return True
                    if code in PRECONDITION_FAILED:
                        return False
                raise

    def _send_whole(self, source: Path, options: dict[str, Any], condition: dict[str, str]) -> None:
        with source.open("rb") as body:
            self._client.put_object(Body=body, **options, **condition)

    def _send_parts(self, source: Path, options: dict[str, Any], condition: dict[str, str]) -> None:
        """Send several parts at a time; a killed process leaves parts that the bucket's lifecycle rule removes."""
        size = source.stat().st_size
        step = max(_PART_BYTES, -(-size // _MOST_PARTS))
        upload = self._client.create_multipart_upload(**options)["UploadId"]
        place = {name: options[name] for name in ("Bucket", "Key")} | {"UploadId": upload}
        try:
            send = partial(self._send_part, source, place, step)
            parts = list(self._executor.map(send, range(-(-size // step))))
            self._client.complete_multipart_upload(MultipartUpload={"Parts": parts}, **place, **condition)
        except BaseException:
            self._client.abort_multipart_upload(**place)
            raise

    def _send_part(self, source: Path, place: dict[str, Any], step: int, number: int) -> dict[str, Any]:
        with source.open("rb") as file:
            file.seek(number * step)
            body = file.read(step)
        answer = self._client.upload_part(Body=body, PartNumber=number + 1, **place)
        # S3 compares what was sent with what it has, where a checksum was agreed on.
        checksums = {
            name: value for name, value in answer.items() if name.startswith("Checksum") and name[8:].isupper()
        }
        return {"PartNumber": number + 1, "ETag": answer["ETag"], **checksums}

    def _is_mine(self, options: dict[str, Any], token: str) -> bool:
        found = self._head(options["Key"].removeprefix(self.place.prefix))
        return found is not None and found.get("Metadata", {}).get(_TOKEN) == token

    def _head(self, key: str) -> Mapping[str, Any] | None:
        from botocore.exceptions import ClientError

        with explained(self.place, key):
            try:
                found: Mapping[str, Any] = self._client.head_object(**self._where(key))
            except ClientError as error:
                if code_of(error) in MISSING:
                    return None
                if code_of(error) == "400":  # answers to HEAD have no body that could say more; this one has
                    self._client.list_objects_v2(Bucket=self.place.bucket, MaxKeys=1)
                raise
        return found

    def _first(self, key: str, pinned: Identity | None) -> tuple[Mapping[str, Any], bytes]:
        """Fetch the beginning; what is pinned must be there as it was."""
        from botocore.exceptions import ClientError

        condition = pinned.condition if pinned else {}
        try:
            return self._get(key, condition, 0, FIRST_BYTES)
        except ClientError as error:
            code = code_of(error)
            if code in MISSING:
                raise FileNotFoundError(errno.ENOENT, "no object has this key", key) from error
            if code in PRECONDITION_FAILED:
                raise RawObjectChanged(key=key, expected_etag=str(pinned), found_etag=self.etag(key)) from error
            if code in _EMPTY:  # no range of nothing
                return self._get(key, condition)
            raise

    def _fetch(self, key: str, found: Identity, start: int, end: int) -> bytes:
        from botocore.exceptions import ClientError

        with explained(self.place, key):
            try:
                _, data = self._get(key, found.condition, start, end)
            except ClientError as error:
                if code_of(error) in MISSING | PRECONDITION_FAILED:
                    raise RawObjectChanged(key=key, expected_etag=str(found), found_etag=self.etag(key)) from error
                raise
        if len(data) != end - start:
            raise RawObjectCutShort(key=key, size=end - start)
        return data

    def _get(
        self, key: str, condition: Mapping[str, str], start: int | None = None, end: int = 0
    ) -> tuple[Mapping[str, Any], bytes]:
        """Get a range with its body. A connection may break in mid-body, where botocore itself does not try again."""
        from botocore import exceptions as boto  # type: ignore[import-untyped]

        broken = (boto.ResponseStreamingError, boto.IncompleteReadError, boto.ReadTimeoutError)
        wanted = {} if start is None else {"Range": f"bytes={start}-{end - 1}"}
        attempt = 0
        while True:
            answer = self._client.get_object(**self._where(key), **wanted, **condition)
            try:
                with closing(answer["Body"]) as body:  # used as a context by itself it gives an unchecked stream
                    return answer, _in_range(answer, body.read(), start, end)
            except broken:
                attempt += 1
                if attempt == _BODY_ATTEMPTS:
                    raise
                _pause(attempt)

    def _listed(self, item: Mapping[str, Any]) -> Listed | None:
        key = str(item["Key"]).removeprefix(self.place.prefix)
        if key.endswith("/"):  # consoles make folders as empty objects
            return None
        return Listed(key, int(item["Size"]), str(item["ETag"]), item["LastModified"])

    def _where(self, key: str) -> dict[str, str]:
        return {"Bucket": self.place.bucket, "Key": self.place.prefix + key}

    @property
    def _client(self) -> Any:  # noqa: ANN401  botocore makes its clients at run time
        return self._connected()[1]

    @property
    def _executor(self) -> ThreadPoolExecutor:
        return self._connected()[2]

    def _connected(self) -> tuple[int, Any, ThreadPoolExecutor]:
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                with explained(self.place):
                    client = self.place.client()
                self._opened = os.getpid(), client, ThreadPoolExecutor(_THREADS, thread_name_prefix="sluice-s3")
            return self._opened


def _in_range(answer: Mapping[str, Any], data: bytes, start: int | None, end: int) -> bytes:
    """HTTP allows a server to send everything in place of a range; some that speak S3 do so for old versions."""
    return data if start is None or "ContentRange" in answer else data[start:end]


def _size(answer: Mapping[str, Any]) -> int:
    written = answer.get("ContentRange")  # bytes 0-1048575/7340032
    return int(str(written).rpartition("/")[2]) if written else int(answer["ContentLength"])


def _pause(attempt: int) -> None:
    longest = min(_SHORTEST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS)
    time.sleep(random.uniform(0, longest))  # noqa: S311  # spreads clients, keeps no secret
