"""Who reads published tables, as contracts say: those who have to know when one changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sluice.contract import Contract


@dataclass(frozen=True, slots=True)
class Affected:
    """A consumer of one dataset."""

    dataset: str
    name: str
    contact: str | None = None
    use: str = ""

    def __str__(self) -> str:
        contact = f" ({self.contact})" if self.contact else ""
        use = f" for {self.use}" if self.use else ""
        return f"{self.name}{contact} reads {self.dataset}{use}"


def consumers_of(contracts: Mapping[str, Contract], datasets: Iterable[str]) -> tuple[Affected, ...]:
    """Return the consumers of these datasets, in their order; one that no contract declares any more has none."""
    declared = [contracts[name] for name in datasets if name in contracts]
    return tuple(
        Affected(contract.dataset, item.name, item.contact, item.use)
        for contract in declared
        for item in contract.consumers
    )
