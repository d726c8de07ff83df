"""Which ranges a file in S3 fetches, and when; no server is needed for it."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from resources.s3_file import FIRST_BYTES, S3File

if TYPE_CHECKING:
    from collections.abc import Iterator

MB = 1 << 20
CONTENT = os.urandom(100 * MB + 7)


class Fetching:
    def __init__(self, size: int, pool: ThreadPoolExecutor) -> None:
        self.fetched: list[int] = []
        self.content = CONTENT[:size]
        self.file = io.BufferedReader(S3File(self._fetch, self.content[:FIRST_BYTES], size, pool), FIRST_BYTES)

    def _fetch(self, start: int, end: int) -> bytes:
        self.fetched.append(start)
        return self.content[start:end]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


@pytest.mark.parametrize("size", [0, 1, MB, MB + 1, 9 * MB, 9 * MB + 1, len(CONTENT)], ids=str)
def test_every_byte_is_read_once(pool: ThreadPoolExecutor, size: int) -> None:
    fetching = Fetching(size, pool)

    with fetching.file as file:
        assert file.read() == fetching.content

    assert sorted(fetching.fetched) == list(range(MB, size, 8 * MB))


def test_a_look_at_the_beginning_fetches_nothing_more(pool: ThreadPoolExecutor) -> None:
    fetching = Fetching(len(CONTENT), pool)

    assert fetching.file.read(1000) == CONTENT[:1000]
    fetching.file.close()

    assert fetching.fetched == []


def test_reading_on_runs_ahead_by_three_blocks(pool: ThreadPoolExecutor) -> None:
    fetching = Fetching(len(CONTENT), pool)

    fetching.file.read(MB + 1)
    pool.shutdown()

    assert sorted(fetching.fetched) == [MB, 9 * MB, 17 * MB, 25 * MB]


def test_a_jump_fetches_one_block(pool: ThreadPoolExecutor) -> None:
    fetching = Fetching(len(CONTENT), pool)

    fetching.file.seek(50 * MB)
    found = fetching.file.read(100)
    pool.shutdown()

    assert found == CONTENT[50 * MB : 50 * MB + 100]
    assert fetching.fetched == [49 * MB]


def test_what_was_read_a_moment_ago_is_kept(pool: ThreadPoolExecutor) -> None:
    fetching = Fetching(40 * MB, pool)

    first = fetching.file.read()
    fetching.file.seek(0)

    assert fetching.file.read() == first
    assert len(fetching.fetched) == 5


def test_what_a_range_raises_is_raised_where_it_is_read(pool: ThreadPoolExecutor) -> None:
    def fail(start: int, end: int) -> bytes:
        raise TimeoutError(f"{start} to {end}")

    file = S3File(fail, b"x", 10, pool)

    with pytest.raises(TimeoutError, match="1 to 10"):
        file.read()
