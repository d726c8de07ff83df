"""Texts and their bytes: which records cannot be decoded, and how the bytes of a record come back from its text."""

from __future__ import annotations

import codecs
import struct
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

from sluice.errors import RawObjectUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sluice.reading.record_batches import Records

UTF8 = "utf-8"
_WITHOUT_MARK = {"utf-8-sig": UTF8, "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""What an encoding that writes a byte order mark is called after the mark; unmarked text counts as little-endian."""


@cache
def encoding_of_records(encoding: str) -> str:
    """Return the canonical name of the encoding of text inside a file."""
    name = codecs.lookup(encoding).name
    return _WITHOUT_MARK.get(name, name)


@cache
def can_be_cut(encoding: str) -> bool:
    """Say whether bytes can be cut at ASCII characters before they are decoded, and come back when encoded."""
    if encoding_of_records(encoding) == UTF8:
        return True
    each = [_decoded_alone(byte, encoding) for byte in range(256)]
    known = [character for character in each if character is not None]
    is_one_to_one = len(set(known)) == len(known) and all(len(character) == 1 for character in known)
    return is_one_to_one and each[:128] == [chr(byte) for byte in range(128)]


def _decoded_alone(byte: int, encoding: str) -> str | None:
    """Return the character of one byte, "" when more bytes must follow, None when it means nothing."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(bytes([byte]))
    except UnicodeError:
        return None


def transcoded(chunks: Iterable[bytes], encoding: str, key: str) -> Iterator[bytes]:
    """Yield the text as UTF-8; raises RawObjectUnreadable at the first bytes that mean nothing."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise RawObjectUnreadable(
            key=key,
            code="invalid_encoding",
            detail=f"It is not {encoding} throughout ({error}).",
            cure="Send it in the encoding of the contract, or name its true encoding there.",
        ) from error


def not_utf8(records: Records) -> dict[int, tuple[str, str]]:
    """Return code and detail of each record that is not UTF-8, by index."""
    # A whole block is asked at once, and its records one by one only when it is not clean.
    if _is_utf8(records.data):
        return {}
    faults = ((index, undecodable(records.raw(index), UTF8)) for index in range(len(records)))
    return {index: ("invalid_utf8", fault) for index, fault in faults if fault is not None}


def undecodable(raw: bytes, encoding: str) -> str | None:
    """Return what in `raw` is not of this encoding, or None."""
    try:
        raw.decode(encoding)
    except UnicodeDecodeError as error:
        return f"byte 0x{raw[error.start]:02x} at position {error.start + 1} is not {encoding}"
    return None


def _is_utf8(data: bytes) -> bool:
    bounds = pa.py_buffer(struct.pack("<ii", 0, len(data)))
    try:
        pa.StringArray.from_buffers(1, bounds, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
