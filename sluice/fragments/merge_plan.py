"""Which fragments are merged while a partition is built anyway, so that its files stay few and large enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


FAN_IN = 8
"""Files of one size that a partition may have; merging earlier costs more, later leaves more of them to be opened."""


@dataclass(frozen=True, slots=True)
class MergeRules:
    """Fragments below `small_bytes` are always merged, others when `fan_in` of about one size have come together.

    So a byte is rewritten about once for each power of `fan_in`, and a partition has at most `fan_in` files for each.
    Nothing from `big_bytes` on is merged. `small_bytes` is at least 1, `fan_in` at least 2.
    """

    small_bytes: int = 1_000_000
    fan_in: int = FAN_IN
    big_bytes: int = 128_000_000

    def level(self, size_bytes: int) -> int:
        level, limit = 0, self.small_bytes
        while size_bytes >= limit:
            level, limit = level + 1, limit * self.fan_in
        return level


def plan_merge(sizes: Sequence[int], rules: MergeRules) -> tuple[int, ...]:
    """Return the places of the fragments that become one; nothing, or at least two."""
    levels = [rules.level(size) for size in sizes]
    chosen = [place for place, level in enumerate(levels) if level == 0]
    chosen = chosen if len(chosen) > 1 else []
    for level in range(1, max(levels, default=0) + 1):
        alike = [i for i, found in enumerate(levels) if found == level and sizes[i] < rules.big_bytes]
        merged = bool(chosen) and rules.level(sum(sizes[place] for place in chosen)) == level
        if len(alike) + merged >= rules.fan_in:
            chosen += alike
    return tuple(sorted(chosen))
