"""The stored bytes of a raw object, hashed as they are read: they are those of the manifest, or the run stops."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from sluice.errors import RawObjectChanged

if TYPE_CHECKING:
    from typing import BinaryIO

    from sluice.manifest import RawObject

_LOCAL_ETAG = re.compile(r"[0-9a-f]{32}")
_SKIM_BYTES = 1 << 20


class StoredBytes:
    """A forward-only view of one object. `position` is the number of stored bytes read."""

    def __init__(self, stream: BinaryIO, raw_object: RawObject) -> None:
        self.object = raw_object
        self.position = 0
        self._stream = stream
        self._hash = hashlib.blake2b(digest_size=16)
        self._ahead = b""
        self._is_at_end = False

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, b"" only at the end."""
        data = self._ahead[:size] or self._fetch(size)
        self._ahead = self._ahead[len(data) :]
        self.position += len(data)
        return data

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end, without moving on."""
        while len(self._ahead) < size and (data := self._fetch(size)):
            self._ahead += data
        return self._ahead[:size]

    def verify(self) -> str:
        """Read what is left and return the ETag; raises RawObjectChanged when it is not the manifest's."""
        while self.read(_SKIM_BYTES):
            pass
        found = self._hash.hexdigest()
        # Only local ETags are hashes of this kind; others cannot be computed from the bytes.
        if _LOCAL_ETAG.fullmatch(self.object.etag) and found != self.object.etag:
            raise RawObjectChanged(key=self.object.key, expected_etag=self.object.etag, found_etag=found)
        return found

    def rewound(self) -> BinaryIO:
        """Verify all bytes, then return the stream from its start, for formats that are not read front to back."""
        self.verify()
        self._stream.seek(0)
        return self._stream

    def _fetch(self, size: int) -> bytes:
        if self._is_at_end:
            return b""
        data = self._stream.read(size)
        self._is_at_end = not data
        self._hash.update(data)
        return data
