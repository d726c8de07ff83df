"""JSON documents: the items of one array are the records, each with its bytes as they stand in the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import orjson

from sluice.errors import RawObjectUnreadable
from sluice.reading.encodings import UTF8
from sluice.reading.lines import MAX_LINE_BYTES
from sluice.reading.record_batches import Records, record_batches
from sluice.strict_json import is_strict_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from sluice.reading.tally import Tally

MAX_DOCUMENT_BYTES = MAX_LINE_BYTES
_QUOTE, _BACKSLASH = b'"\\'
_COMMA, _COLON = b",:"
_SPACES = b" \t\n\r"
_SHOWN_CHARACTERS = 200
_LOOKED_AT_CLOSELY_BYTES = 1 << 20


def _table(characters: bytes) -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[list(characters)] = True
    return table


_IS_SPACE, _IS_SHAPE, _IS_OPEN, _IS_CLOSE = _table(_SPACES), _table(b"[]{},:"), _table(b"[{"), _table(b"]}")


def read_json_document(
    obj: int, chunks: Iterable[bytes], path: str, tally: Tally, key: str
) -> Iterator[pa.RecordBatch]:
    """Yield the records of the array at `path` (names joined by dots; "" is the document itself).

    A record's number, from 1, stands in for a line number. An object without any bytes has no records.
    """
    data = _whole(chunks, key)
    if not data.strip(_SPACES):
        return
    is_strict = _is_strict(data)
    if not is_strict:
        _require_parsed(data, key)
    records = _Document(data, key).records(path)
    yield from record_batches(obj, tally, records, {} if is_strict else _refused(records))


def _whole(chunks: Iterable[bytes], key: str) -> bytes:
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size > MAX_DOCUMENT_BYTES:
            raise RawObjectUnreadable(
                key=key,
                code="document_too_large",
                detail=f"It is one JSON document of more than {MAX_DOCUMENT_BYTES:,} bytes.",
                cure="Ask the source for smaller pages, or for JSON Lines.",
            )
    return b"".join(held)


def _is_strict(data: bytes) -> bool:
    """What orjson takes is strict; what it refuses may only be deep, and a small text can be looked at closely."""
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return len(data) <= _LOOKED_AT_CLOSELY_BYTES and is_strict_json(data)
    return True


def _require_parsed(data: bytes, key: str) -> None:
    """Where the whole is sound but for what some record holds (NaN, half a surrogate), only those are refused."""
    try:
        json.loads(data.decode(UTF8))
    except (ValueError, RecursionError) as error:
        raise RawObjectUnreadable(
            key=key,
            code="malformed_json",
            detail=f"It is not a JSON document ({error}).",
            cure="Pull it again, or have it sent again, whole.",
        ) from error


def _refused(records: Records) -> dict[int, tuple[str, str]]:
    raws = ((index, records.raw(index)) for index in range(len(records)))
    return {
        index: ("malformed_json", raw.decode()[:_SHOWN_CHARACTERS]) for index, raw in raws if not is_strict_json(raw)
    }


class _Document:
    """The places of what gives a document its shape, and how deep each lies; the text is known to be well-formed."""

    def __init__(self, data: bytes, key: str) -> None:
        octets = np.frombuffer(data, dtype=np.uint8)
        shapes = _IS_SHAPE[octets] & ~_inside_strings(data, octets)
        self._data, self._key = data, key
        self._is_blank = _IS_SPACE[octets]
        self._places: NDArray[np.int64] = np.flatnonzero(shapes)
        self._kinds = octets[self._places]
        opens, closes = _IS_OPEN[self._kinds], _IS_CLOSE[self._kinds]
        after = np.cumsum(opens.astype(np.int64) - closes)
        self._depths = np.where(closes, after + 1, after)  # both ends of a value, and what is between, are as deep
        self._is_end = closes

    def records(self, path: str) -> Records:
        token, start = 0, 0
        for name in path.split(".") if path else ():
            token, start = self._member(token, start, name, path)
        return self._items(token, start, path)

    def _member(self, token: int, start: int, name: str, path: str) -> tuple[int, int]:
        """Return the first token of a member's value, and where the value may begin."""
        if not self._begins(token, start, b"{"):
            raise self._without_list(path)
        inner = self._inner(token)
        colons = inner[self._kinds[inner] == _COLON]
        found = [colon for colon in colons.tolist() if self._name_before(colon) == name]
        if len(found) != 1:
            raise self._without_list(path)
        return found[0] + 1, int(self._places[found[0]]) + 1

    def _items(self, token: int, start: int, path: str) -> Records:
        if not self._begins(token, start, b"["):
            raise self._without_list(path)
        inner = self._inner(token)
        commas = self._places[inner[self._kinds[inner] == _COMMA]]
        begin, end = int(self._places[token]), int(self._places[self._end(token)])
        if not len(commas) and not self._data[begin + 1 : end].strip(_SPACES):
            none = np.zeros(0, dtype=np.int64)
            return Records(self._data, none, none, none)
        starts = np.concatenate(([begin], commas)) + 1
        ends = np.concatenate((commas, [end]))
        while (blank := self._is_blank[starts]).any():  # as often as the widest space is wide
            starts += blank
        while (blank := self._is_blank[ends - 1]).any():
            ends -= blank
        return Records(self._data, starts, ends, np.arange(1, len(starts) + 1))

    def _begins(self, token: int, start: int, opener: bytes) -> bool:
        if token >= len(self._places) or self._kinds[token] != opener[0]:
            return False
        return not self._data[start : int(self._places[token])].strip(_SPACES)

    def _end(self, token: int) -> int:
        """Return the token that closes the value which `token` opens."""
        later = self._is_end[token + 1 :] & (self._depths[token + 1 :] == self._depths[token])
        return token + 1 + int(np.argmax(later))

    def _inner(self, token: int) -> NDArray[np.int64]:
        """Return the commas and colons between the two ends of a value."""
        between = np.arange(token + 1, self._end(token))
        separators = (self._kinds[between] == _COMMA) | (self._kinds[between] == _COLON)
        found: NDArray[np.int64] = between[separators & (self._depths[between] == self._depths[token])]
        return found

    def _name_before(self, colon: int) -> str:
        name = self._data[int(self._places[colon - 1]) + 1 : int(self._places[colon])]
        return str(json.loads(name))

    def _without_list(self, path: str) -> RawObjectUnreadable:
        where = f'at "{path}"' if path else "at its top"
        return RawObjectUnreadable(
            key=self._key,
            code="no_records",
            detail=f"It has not exactly one list of records {where}.",
            cure="If the source answers in another shape now, correct pull.records in the contract.",
        )


def _inside_strings(data: bytes, octets: NDArray[np.uint8]) -> NDArray[np.bool_]:
    quotes = octets == _QUOTE
    if b"\\" in data:
        quotes[_escaped(octets)] = False
    inside: NDArray[np.bool_] = np.logical_xor.accumulate(quotes)
    return inside


def _escaped(octets: NDArray[np.uint8]) -> NDArray[np.int64]:
    r"""Return where characters stand behind a backslash that is not itself escaped, as the quote in `\\\"`."""
    slashes = np.flatnonzero(octets == _BACKSLASH)
    is_first = np.diff(slashes, prepend=-2) != 1
    runs = np.maximum.accumulate(np.where(is_first, slashes, 0))
    found: NDArray[np.int64] = slashes[(slashes - runs) % 2 == 0] + 1
    return found
