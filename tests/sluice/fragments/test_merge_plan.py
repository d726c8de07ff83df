"""Files stay few, and a byte is rewritten seldom."""

from __future__ import annotations

import pytest

from sluice.fragments.merge_plan import MergeRules, plan_merge

RULES = MergeRules(small_bytes=100, fan_in=3, big_bytes=5_000)


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        pytest.param((), (), id="nothing"),
        pytest.param((7,), (), id="one small one has nobody to be merged with"),
        pytest.param((7, 8), (0, 1), id="two small ones"),
        pytest.param((7, 400, 8), (0, 2), id="small ones leave larger ones alone"),
        pytest.param((200, 200), (), id="two of one size"),
        pytest.param((200, 1_000, 200, 200), (0, 2, 3), id="three of one size"),
        pytest.param((90, 90, 200, 200), (0, 1, 2, 3), id="what small ones become counts with its size"),
        pytest.param((200, 200, 200, 400, 400), (0, 1, 2, 3, 4), id="and so on upwards"),
        pytest.param((9_000, 9_000, 9_000), (), id="large ones stay"),
        pytest.param((0, 0), (0, 1), id="fragments without rows"),
    ],
)
def test_fragments_of_one_size_are_merged_when_enough_have_come(
    sizes: tuple[int, ...], chosen: tuple[int, ...]
) -> None:
    assert plan_merge(sizes, RULES) == chosen


def grown(increments: int, size: int) -> tuple[int, int]:
    """Return the most files that there ever were, and the bytes that were rewritten."""
    sizes: list[int] = []
    most = rewritten = 0
    for _ in range(increments):
        sizes.append(size)
        chosen = plan_merge(sizes, MergeRules())
        merged = sum(sizes[place] for place in chosen)
        rewritten += merged
        sizes = [kept for place, kept in enumerate(sizes) if place not in chosen] + ([merged] if chosen else [])
        most = max(most, len(sizes))
    return most, rewritten


def test_a_thousand_increments_leave_few_files_and_rewrite_a_byte_a_few_times() -> None:
    most, rewritten = grown(1_000, 1_000_000)

    assert most <= 24
    assert rewritten < 4 * 1_000 * 1_000_000
