"""Published partitions whose gates have been changed since: they are judged again, and may go back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sluice.contract import rules_fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluice.contract import Contract
    from sluice.history import Published
    from sluice.outcome import Outcome


class Ledger(Protocol):
    def all_published(self, dataset: str | None = None) -> tuple[Published, ...]: ...
    def judged_by(self, dataset: str, rules: str) -> frozenset[tuple[str, str]]: ...


def to_be_audited(contract: Contract, ledger: Ledger) -> Iterator[Outcome]:
    """Yield the published outcomes that no gate has judged by today's rules, the newest first.

    A stand-in is judged by no gate, and what another contract built cannot be: it may lack columns.
    """
    if contract.healing.audit is None:
        return
    judged = ledger.judged_by(contract.dataset, rules_fingerprint_of(contract))
    for item in sorted(ledger.all_published(contract.dataset), key=lambda item: item.outcome.partition, reverse=True):
        outcome = item.outcome
        is_ours = outcome.contract_fingerprint == contract.fingerprint and outcome.stand_in is None
        if is_ours and outcome.objects and (outcome.partition, str(outcome.version)) not in judged:
            yield outcome
