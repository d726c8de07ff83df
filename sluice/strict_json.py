"""Whether a text is JSON, exactly as RFC 8259 says: the judge of what faster parsers let pass."""

from __future__ import annotations

import re
from enum import Enum, auto

import orjson

_LARGEST_PARSED_BYTES = 1 << 20
"""Above this the objects that orjson builds would cost more memory than its speed is worth."""

# A lone surrogate escape (\ud800) is grammatical but names no character: it has no UTF-8 form and is refused.
_PLAIN_ESCAPE = r"""\\(?:["\\/bfnrt]|u(?:[0-9a-cefA-CEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))"""
_PAIR_ESCAPE = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_STRING = rf'"(?:[^"\\\x00-\x1f]++|{_PLAIN_ESCAPE}|{_PAIR_ESCAPE})*+"'
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_TOKEN = re.compile(rf"[ \t\n\r]*+({_STRING}|{_NUMBER}|true|false|null|[\[\]{{}},:])")
_REST = re.compile(r"[ \t\n\r]*+\Z")


class _Next(Enum):
    VALUE = auto()
    VALUE_OR_END = auto()
    NAME = auto()
    NAME_OR_END = auto()
    COLON = auto()
    COMMA_OR_END = auto()


def is_strict_json(text: str | bytes) -> bool:
    """Say whether `text` is one JSON value. Depth and size are bounded by memory only; bytes must be UTF-8."""
    try:
        data = text.encode() if isinstance(text, str) else text
        # orjson is strict but refuses some valid texts (depth above 1024): its yes counts, its no does not.
        return _is_parsed(data) or _is_grammatical(data.decode())
    except UnicodeError:
        return False


def _is_parsed(data: bytes) -> bool:
    if len(data) > _LARGEST_PARSED_BYTES:
        return False
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_grammatical(text: str) -> bool:
    open_ends: list[str] = []  # the closers that are still owed; a stack of its own, so depth cannot overflow Python's
    expected = _Next.VALUE
    place = 0
    while token := _TOKEN.match(text, place):
        place = token.end()
        follows = _after(token[1][0], expected, open_ends)
        if follows is None:
            return False
        expected = follows
    return not open_ends and expected is _Next.COMMA_OR_END and _REST.match(text, place) is not None


def _after(first: str, expected: _Next, open_ends: list[str]) -> _Next | None:
    """Return what may follow a token, known by its first character, or None where it may not stand."""
    if first in "]}":
        return _after_end(first, expected, open_ends)
    match expected:
        case _Next.VALUE | _Next.VALUE_OR_END if first not in ",:":
            return _after_value(first, open_ends)
        case _Next.NAME | _Next.NAME_OR_END if first == '"':
            return _Next.COLON
        case _Next.COLON if first == ":":
            return _Next.VALUE
        case _Next.COMMA_OR_END if first == "," and open_ends:
            return _Next.NAME if open_ends[-1] == "}" else _Next.VALUE
        case _:
            return None


def _after_value(first: str, open_ends: list[str]) -> _Next:
    match first:
        case "{":
            open_ends.append("}")
            return _Next.NAME_OR_END
        case "[":
            open_ends.append("]")
            return _Next.VALUE_OR_END
        case _:
            return _Next.COMMA_OR_END


def _after_end(first: str, expected: _Next, open_ends: list[str]) -> _Next | None:
    may_end = expected in {_Next.VALUE_OR_END, _Next.NAME_OR_END, _Next.COMMA_OR_END}
    if not may_end or not open_ends or open_ends.pop() != first:
        return None
    return _Next.COMMA_OR_END
