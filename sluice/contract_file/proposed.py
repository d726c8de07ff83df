"""A proposed contract as a file: which contract it was proposed for, and whether it may take that one's place."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.contract_file.contract import read_contract
from sluice.contract_file.proposal import amended
from sluice.drift import drift_of, next_version
from sluice.drift_remedy import amendment_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.contract import Contract
    from sluice.drift_remedy import Amendment
    from sluice.inference.fields import SeenObject
    from sluice.outcome import Outcome

_HEAD = re.compile(r"# Proposed for contract ([0-9a-f]{16})\b.*\n")


@dataclass(frozen=True, slots=True)
class Proposal:
    """`text` begins with a line that names the contract it was proposed for."""

    text: str
    version: str
    amendment: Amendment


def propose(
    text: str, seen: Sequence[SeenObject], outcome: Outcome | None, *, path: str, earlier: str | None = None
) -> Proposal:
    """Return the next contract for `text`, with what an `earlier` proposal for the same one says already.

    Raises ContractInvalid when the text cannot be added to, ContractProblems when the proposal would be no contract.
    """
    present = without_head(text)
    version = next_version(read_contract(present, path=path).version)
    base = without_head(earlier) if earlier is not None and base_of(earlier) == digest_of(present) else present
    amendment = amendment_for(drift_of(read_contract(base, path=path), seen, outcome))
    new = amended(base, amendment, version=version, path=path)
    contract = read_contract(new, path=path)  # what is proposed must be right
    head = f"# Proposed for contract {digest_of(present)}. Accept it: sluice drift {contract.dataset} --accept\n"
    return Proposal(head + new, version, amendment)


def base_of(proposed: str) -> str | None:
    """Return the digest of the contract that a text was proposed for."""
    found = _HEAD.match(proposed)
    return found[1] if found else None


def without_head(text: str) -> str:
    return _HEAD.sub("", text, count=1) if _HEAD.match(text) else text


def digest_of(text: str) -> str:
    return hashlib.blake2b(without_head(text).encode(), digest_size=8).hexdigest()


def is_of(contract: Contract, text: str) -> bool:
    """Whether a file's text is still the contract that was loaded."""
    return read_contract(without_head(text), path=contract.path).fingerprint == contract.fingerprint
