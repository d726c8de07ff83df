"""What gates judge by: fetched by the steps, handed in whole, never fetched by a gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sluice.acceptance import Acceptance
    from sluice.contract import Contract
    from sluice.cost.budget import Funding
    from sluice.cost.scan import QueryScan
    from sluice.expectations.results import Results
    from sluice.healing.breaker import Breaker
    from sluice.manifest import RawObject
    from sluice.outcome import Outcome
    from sluice.profile import Profile

History = tuple[tuple[str, float], ...]
"""(partition, value) of a metric, as published, by date; the partition being judged is not among them."""


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """The ends of one raw object: at most 16 bytes each. None when it could not be opened any more."""

    first: bytes
    last: bytes


@dataclass(frozen=True, slots=True)
class RawEvidence:
    """One partition before the transform. `objects` is empty when nothing has landed.

    `marker_present` and `control` (the bytes of the control file, if it is there) answer what the contract's
    completeness asks for, `control_etags` names what was seen of them. `funding` is the ledger's answer to the
    reservation. `breakers` are those that the dataset depends on; `is_probe` says that
    this run has claimed to probe them.
    """

    contract: Contract
    partition: str
    objects: tuple[RawObject, ...]
    heads: Mapping[str, ObjectHead | None] = field(default_factory=dict)
    marker_present: bool = False
    control: bytes | None = None
    control_etags: str = ""
    funding: Funding | None = None
    breakers: tuple[Breaker, ...] = ()
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class ReferenceSeen:
    """The newest published partition, not after the judged one, of a dataset that the contract names as reference."""

    dataset: str
    partition: date | None
    version: str | None


@dataclass(frozen=True, slots=True)
class StagedEvidence:
    """One staged partition. `history` has every metric of the dataset's other published partitions before this one."""

    contract: Contract
    outcome: Outcome
    profile: Profile
    history: Mapping[str, History] = field(default_factory=dict)
    acceptances: tuple[Acceptance, ...] = ()
    expectations: Results | None = None
    references: tuple[ReferenceSeen, ...] = ()
    scans: tuple[QueryScan, ...] = ()
    control: bytes | None = None
    control_etags: str = ""
