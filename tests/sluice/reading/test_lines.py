"""Cutting into lines gives the same lines however the content arrives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.errors import RawObjectUnreadable
from sluice.reading.lines import BLOCK_BYTES, Block, LongLine, blocks, split_lines
from tests.sluice.reading.reader import cut

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b'"', b","]), max_size=40).map(b"".join)


def numbered(items: list[Block | LongLine]) -> list[tuple[int, bytes]]:
    return [
        (block.first_line_no + index, block.data[start:end])
        for block in items
        if isinstance(block, Block)
        for index, (start, end) in enumerate(zip(block.starts.tolist(), block.ends.tolist(), strict=True))
    ]


def long_lines(items: list[Block | LongLine]) -> list[tuple[int, bytes, int]]:
    return [(item.line_no, item.head[:4], item.size) for item in items if isinstance(item, LongLine)]


def expected(content: bytes, line_end: bytes) -> list[tuple[int, bytes]]:
    parts = re.split(line_end, content)
    return list(enumerate(parts if parts[-1] else parts[:-1], start=1))


@given(content=CONTENT, places=st.lists(st.integers(0, 200), max_size=8))
def test_newlines_cut_wherever_pieces_end(content: bytes, places: list[int]) -> None:
    assert numbered(list(split_lines(cut(content, places), bare_cr=False))) == expected(content, b"\r?\n")


@given(content=CONTENT, places=st.lists(st.integers(0, 200), max_size=8))
def test_carriage_returns_cut_too_when_asked_for(content: bytes, places: list[int]) -> None:
    assert numbered(list(split_lines(cut(content, places), bare_cr=True))) == expected(content, b"\r\n|\n|\r")


@given(content=CONTENT, places=st.lists(st.integers(0, 200), max_size=8), bare_cr=st.booleans())
def test_long_lines_are_told_apart_and_all_numbers_kept(content: bytes, places: list[int], *, bare_cr: bool) -> None:
    items = list(split_lines(cut(content, places), bare_cr=bare_cr, max_bytes=3))

    lines = expected(content, b"\r\n|\n|\r" if bare_cr else b"\r?\n")
    assert numbered(items) == [(number, line) for number, line in lines if len(line) <= 3]
    assert long_lines(items) == [(number, line[:4], len(line)) for number, line in lines if len(line) > 3]


def test_small_pieces_are_joined_to_blocks() -> None:
    pieces = [b"x" * 1000] * (3 * BLOCK_BYTES // 2000)

    joined = list(blocks(pieces))

    assert [len(block) >= BLOCK_BYTES for block in joined] == [True, False]
    assert sum(map(len, joined)) == 1000 * len(pieces)


def test_what_was_read_before_damage_is_passed_on_first() -> None:
    passed = blocks(damaged())

    assert next(passed) == b"a\nb"
    with pytest.raises(RawObjectUnreadable):
        next(passed)


def damaged() -> Iterator[bytes]:
    yield b"a\n"
    yield b"b"
    raise RawObjectUnreadable(key="k", code="c", detail="d.", cure="e.")
