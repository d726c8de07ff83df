"""Which partitions share a run, and how its tag names them."""

from __future__ import annotations

import pytest

from sluice.backfill.chunk import USUAL, Chunking, chunk_text, chunked, read_chunk
from sluice.backfill.plan import Target


def target(day: int, dataset: str = "orders") -> Target:
    return Target(dataset=dataset, partition=f"2026-11-{day:02}", why="")


FIVE = tuple(target(day) for day in (5, 4, 3, 2, 1))


def test_a_run_builds_at_most_so_many() -> None:
    assert chunked(FIVE, Chunking(partitions=2)) == (FIVE[:2], FIVE[2:4], FIVE[4:])


def test_datasets_share_no_run() -> None:
    first, second = target(2), target(1)
    other = target(2, "payments")

    assert chunked((first, other, second), Chunking(partitions=9)) == ((first, second), (other,))


@pytest.mark.parametrize(
    ("size", "chunks"),
    [
        pytest.param({"seconds": 100.0}, [3, 2], id="seconds"),
        pytest.param({"bytes_in": 600_000_000}, [1, 1, 1, 1, 1], id="bytes"),
        pytest.param({"seconds": 1000.0}, [1, 1, 1, 1, 1], id="each too long by itself"),
        pytest.param({}, [5], id="small ones"),
    ],
)
def test_estimates_bound_a_run(size: dict[str, float], chunks: list[int]) -> None:
    found = chunked([target(day).model_copy(update=size) for day in (5, 4, 3, 2, 1)], USUAL)

    assert [len(chunk) for chunk in found] == chunks


@pytest.mark.parametrize(
    ("partitions", "text"),
    [
        pytest.param(["2026-11-03"], "2026-11-03", id="one"),
        pytest.param(["2026-11-03", "2026-11-01", "2026-11-02"], "2026-11-01..2026-11-03", id="a span"),
        pytest.param(["2026-03-01", "2026-02-28", "2026-01-01"], "2026-01-01 2026-02-28..2026-03-01", id="a gap"),
        pytest.param([], "", id="none"),
    ],
)
def test_a_tag_names_dates_and_is_read_back_newest_first(partitions: list[str], text: str) -> None:
    assert chunk_text(partitions) == text
    assert read_chunk(text) == tuple(sorted(partitions, reverse=True))


@pytest.mark.parametrize("text", ["yesterday", "2026-11-01..", "2026-11-01..soon", "2026-02-30"])
def test_what_names_no_dates_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_chunk(text)
