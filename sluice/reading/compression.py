"""Decompression by content, not by name: gzip, zstd or none, checked to the last byte and bounded in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard
from isal import igzip_lib

from sluice.errors import RawObjectUnreadable
from sluice.reading.lines import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from sluice.reading.stored import StoredBytes

PIECE_BYTES = 1 << 19
_CONTENT_BYTES = BLOCK_BYTES
"""What one step of gzip may yield: a whole block, which then need not be put together from pieces."""
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", *(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60)))
_OTHER_COMPRESSIONS = {
    "zip": (b"PK\x03\x04",),
    "xz": (b"\xfd7zXZ\x00",),
    "bzip2": tuple(b"BZh%d1AY&SY" % level for level in range(1, 10)),
    "lz4": (b"\x04\x22\x4d\x18",),
}
_OTHER_FORMATS = {"Parquet": b"PAR1", "Avro": b"Obj\x01", "ORC": b"ORC"}
COMPRESSED_NAMES = (".gz", ".gzip", ".zst", ".zstd")
_LONGEST_GZIP_HEADER = 1 << 18
_ZSTD_STEP_BYTES = 2048
"""Four bytes of zstd can stand for 128 KiB, so one step yields 64 MiB at most."""
_SNIFF_BYTES = 4096
_NOT_IN_TEXT = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))


def decompressed(stored: StoredBytes) -> Iterator[bytes]:
    """Yield the object's content in bounded pieces; raises RawObjectUnreadable where it stops making sense."""
    head = stored.peek(_SNIFF_BYTES)
    if head.startswith(GZIP_MAGIC):
        return _gunzipped(stored)
    if head.startswith(ZSTD_MAGICS):
        return _unzstd(stored)
    _refuse_what_is_not_plain(stored, head)
    return _plain(stored)


def _plain(stored: StoredBytes) -> Iterator[bytes]:
    while piece := stored.read(PIECE_BYTES):
        yield piece


def _refuse_what_is_not_plain(stored: StoredBytes, head: bytes) -> None:
    for name, magics in _OTHER_COMPRESSIONS.items():
        if head.startswith(magics):
            raise RawObjectUnreadable(
                key=stored.object.key,
                code="unsupported_compression",
                detail=f"It is compressed with {name}.",
                cure="Send it uncompressed, gzipped or as zstd.",
            )
    if head.translate(None, _NOT_IN_TEXT) == head:
        return
    for name, magic in _OTHER_FORMATS.items():
        if head.startswith(magic):
            raise RawObjectUnreadable(
                key=stored.object.key,
                code="wrong_format",
                detail=f"It is a file in the format {name}.",
                cure="Send it in the format of the contract, or declare its true format there.",
            )
    # A text named x.gz is read as it is: some stores and clients decompress on the way and keep the name.
    if stored.object.key.endswith(COMPRESSED_NAMES):
        raise RawObjectUnreadable(
            key=stored.object.key,
            code="not_compressed",
            detail="Its name promises compression, but it is neither gzip nor zstd nor text.",
            cure="Compress it again and send it again.",
        )


def _gunzipped(stored: StoredBytes) -> Iterator[bytes]:
    data = b""
    while True:
        # isal misreads a header that arrives in parts, so each member starts with a good supply. Zeros are padding.
        data = data.lstrip(b"\x00")
        while len(data) < _LONGEST_GZIP_HEADER and (more := stored.read(PIECE_BYTES)):
            data = (data + more).lstrip(b"\x00")
        if not data:
            return
        if not data.startswith(GZIP_MAGIC):
            raise _trailing_garbage(stored, "gzip", len(data))
        data = yield from _gunzipped_member(stored, data)


def _gunzipped_member(stored: StoredBytes, data: bytes) -> Generator[bytes, None, bytes]:
    """Yield one member's content and return the bytes after it."""
    member = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    while True:
        try:
            piece = member.decompress(data, _CONTENT_BYTES)
        except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub declares an instance
            raise _corrupt(stored, "gzip", error) from error
        if piece:
            yield piece
        if member.eof:
            return member.unused_data
        data = stored.read(PIECE_BYTES) if member.needs_input else b""
        if member.needs_input and not data:
            raise _truncated(stored, "gzip")


def _unzstd(stored: StoredBytes) -> Iterator[bytes]:
    data = b""
    while True:
        while len(data) < _ZSTD_STEP_BYTES and (more := stored.read(_ZSTD_STEP_BYTES)):
            data += more
        if not data:
            return
        if not data.startswith(ZSTD_MAGICS):
            raise _trailing_garbage(stored, "zstd", len(data))
        data = yield from _unzstd_frame(stored, data)


def _unzstd_frame(stored: StoredBytes, data: bytes) -> Generator[bytes, None, bytes]:
    """Yield one frame's content and return the bytes after it."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    while data:
        try:
            piece = frame.decompress(data)
        except zstandard.ZstdError as error:
            raise _corrupt(stored, "zstd", error) from error
        if piece:
            yield piece
        if frame.eof:
            return frame.unused_data
        data = stored.read(_ZSTD_STEP_BYTES)
    raise _truncated(stored, "zstd")


def _truncated(stored: StoredBytes, method: str) -> RawObjectUnreadable:
    return RawObjectUnreadable(
        key=stored.object.key,
        code=f"truncated_{method}",
        detail=f"The {method} stream stops in the middle, at byte {stored.position:,}.",
        cure="Send it again, whole.",
    )


def _corrupt(stored: StoredBytes, method: str, error: Exception) -> RawObjectUnreadable:
    return RawObjectUnreadable(
        key=stored.object.key,
        code=f"corrupt_{method}",
        detail=f"The {method} stream is damaged before byte {stored.position:,} ({error}).",
        cure="Send it again; if it fails again, compress it again from the original.",
    )


def _trailing_garbage(stored: StoredBytes, method: str, unread: int) -> RawObjectUnreadable:
    return RawObjectUnreadable(
        key=stored.object.key,
        code="trailing_garbage",
        detail=f"The {method} stream ends at byte {stored.position - unread:,}, and what follows is not {method}.",
        cure="Send it again without the bytes after the compressed data.",
    )
