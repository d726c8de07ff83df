"""Finds, at the speed of numpy, the records that DuckDB might wrongly take for JSON.

DuckDB's `json_valid` goes beyond RFC 8259 in exactly two ways: a comma before `}` or `]`, and nan, inf and infinity in
any case. A record that holds something like either is a suspect; whether it is guilty is for `strict_json` to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sluice.reading.record_batches import Records

_CASE = np.uint8(0x20)
"""This bit is the difference between n and N, and between } and ]."""
_I, _N, _Y = b"iny"
_NA, _NF = (int.from_bytes(pair, "little") for pair in (b"na", b"nf"))
_CLOSER, _COMMA, _SPACE = b"}, "
_LONGEST_SPACES = 64


def _table(characters: bytes) -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[list(characters)] = True
    return table


_WHITE = bytes(range(_SPACE + 1))
_BEFORE_LITERAL = _table(_WHITE + b":,[-")
_AFTER_LITERAL = _table(_WHITE + b",]}")


def suspects(records: Records) -> list[int]:
    """Return the indexes of records that need a strict look."""
    octets = np.frombuffer(records.data, dtype=np.uint8)
    folded = np.bitwise_or(octets, _CASE)
    places = np.concatenate((_ends_after_comma(octets, _closers(records, folded)), _special_numbers(octets, folded)))
    if not len(places):
        return []
    indexes = np.searchsorted(records.starts, places, side="right") - 1
    found: list[int] = np.unique(indexes[indexes >= 0]).tolist()
    return found


def _closers(records: Records, folded: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return where `}` and `]` stand; when there are as many as records that end with one, there are no others."""
    last = records.ends[records.ends > records.starts] - 1
    last = last[folded[last] == _CLOSER]
    is_closer = folded == _CLOSER
    # To count them is far cheaper than to find them.
    return last if len(last) == np.count_nonzero(is_closer) else np.flatnonzero(is_closer)


def _ends_after_comma(octets: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.int64]:
    before = octets[places - 1]
    found = [places[before == _COMMA]]
    places = places[before <= _SPACE]
    for back in range(2, _LONGEST_SPACES):
        if not len(places):
            break
        before = octets[np.maximum(places - back, 0)]
        found.append(places[before == _COMMA])
        places = places[(before <= _SPACE) & (places >= back)]
    return np.concatenate((*found, places))


def _special_numbers(octets: NDArray[np.uint8], folded: NDArray[np.uint8]) -> NDArray[np.int64]:
    places = _nan_or_inf(folded)
    places = places[_BEFORE_LITERAL[octets[places - 1]] | (places == 0)]
    ends = places + len(b"nan")
    # A word such as "infinite" is told from infinity by its last letter; text full of them would cost dearly.
    is_long = (_at(folded, ends) == _I) & (_at(folded, places + len(b"infinit")) == _Y)
    ends[is_long] = places[is_long] + len(b"infinity")
    found: NDArray[np.int64] = places[(ends >= len(octets)) | _AFTER_LITERAL[_at(octets, ends)]]
    return found


def _at(octets: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the bytes at `places`; beyond the end, the last one."""
    return octets[np.minimum(places, len(octets) - 1)]


def _nan_or_inf(folded: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return where `nan` and `inf` start, found by their pairs `na` and `nf`: two bytes are compared at a time."""
    found = []
    for shift in (0, 1):
        pairs = folded[shift : shift + (len(folded) - shift) // 2 * 2].view("<u2")
        at_na = np.flatnonzero(pairs == _NA) * 2 + shift
        at_nf = np.flatnonzero(pairs == _NF) * 2 + shift
        found.append(at_na[_at(folded, at_na + 2) == _N])
        found.append(at_nf[folded[at_nf - 1] == _I] - 1)
    places = np.concatenate(found)
    return places[places >= 0]
