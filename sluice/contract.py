"""What a dataset promises: the trusted, frozen form of a contract file. `contract_file` reads the file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from sluice.cost.rules import CostRules
from sluice.gate_rules import GateRules
from sluice.healing.policy import HealingPolicy
from sluice.maintenance.policy import MaintenancePolicy
from sluice.notices.rules import NotifyRules
from sluice.spark.rules import EngineRules

if TYPE_CHECKING:
    from decimal import Decimal as Number

    from sluice.datatypes import DataType
    from sluice.expectations.expectation import Expectation
    from sluice.freshness import Freshness
    from sluice.pulling.pull import Pull
    from sluice.scheduling import Schedule

CODE_VERSION = "1"
"""Raise it when the same raw objects under the same contract would give other rows."""

PARTITION_COLUMN = "partition_date"
"""The Iceberg identity partition column that every published table ends with; no contract may declare it."""

STATUS_COLUMN = "_sluice_status"
"""The column of a table that says of a row what it stands in as; NULL in a partition's own data."""

FIRST_DATE = date(2010, 1, 1)
"""The first partition of a dataset whose contract names no `start`."""

_GATES, _COST = GateRules(), CostRules()
_NOTIFY = NotifyRules()
_HEALING = HealingPolicy()
_MAINTENANCE = MaintenancePolicy()
_ENGINE = EngineRules()


class UnknownFields(StrEnum):
    """What happens to a record that holds a field its contract does not declare."""

    IGNORE = "ignore"  # published without the field; the field's name is reported
    REJECT = "reject"  # quarantined with reason unknown_field


class DriftPolicy(StrEnum):
    """What happens to an object whose fields have grown apart from the contract."""

    IGNORE = "ignore"  # each of its records is judged on its own
    QUARANTINE = "quarantine"  # it is quarantined whole; the partition's other objects are published
    EVOLVE = "evolve"  # as ignore, and the run writes the next contract for a person to accept


class FileFormat(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"  # one document with a list of records; only what is pulled


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """How a CSV object is written. `quote` None means that quotes are ordinary characters."""

    delimiter: str = ","
    quote: str | None = '"'
    header: bool = True
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Source:
    """Where raw objects land below the raw zone: `orders/date={date}/*.jsonl.gz`, read by `Location.parse`.

    With `pull` Sluice puts them there itself.
    """

    pattern: str
    format: FileFormat
    csv: CsvDialect = CsvDialect()
    pull: Pull | None = field(default=None, repr=False)  # `repr` goes into fingerprints, and when to pull does not

    @property
    def host(self) -> str | None:
        """The outside system that is asked for the data, if one is."""
        return self.pull.host if self.pull else None


@dataclass(frozen=True, slots=True)
class Rules:
    """Record-level limits on one column; a record that breaks one is quarantined.

    Limits on dates are ISO dates, limits on timestamps ISO instants in UTC, both as text.
    """

    allowed: tuple[str, ...] = ()
    minimum: Number | str | None = None
    maximum: Number | str | None = None
    exclusive_minimum: Number | str | None = None
    exclusive_maximum: Number | str | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None  # RE2, matched anywhere in the value, as in JSON Schema


@dataclass(frozen=True, slots=True)
class Shim:
    """How a column is read from files that do not hold it as declared.

    `also_called` are other names of its field; `default` is the text of the value that stands for a missing one; with
    `cast` a value of another type is taken if it converts without loss.
    """

    also_called: tuple[str, ...] = ()
    default: str | None = None
    cast: bool = False


_NO_SHIM = Shim()


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: DataType
    required: bool = False
    unique: bool = False
    rules: Rules = Rules()
    shim: Shim = _NO_SHIM
    description: str = ""
    classification: str | None = None
    member_classifications: tuple[str, ...] = ()  # of what is nested in it
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach the people behind a dataset, as in ODCS `support`."""

    channel: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody outside Sluice who reads the published table; `use` is what for."""

    name: str
    contact: str | None = None
    use: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """One dataset. Exactly one of `source` (landed files) and `transform_sql` (derived from tables) is set.

    `order_by` is the column whose latest value wins among records with equal `primary_key`; `sort_by` orders rows
    inside a published file; `start` is the first partition. `plain_table` asks for a second table, without Iceberg.
    """

    dataset: str
    version: str
    columns: tuple[Column, ...]
    source: Source | None = None
    transform_sql: str | None = None
    primary_key: tuple[str, ...] = ()
    order_by: str | None = None
    sort_by: tuple[str, ...] = ()
    unknown_fields: UnknownFields = UnknownFields.IGNORE
    drift: DriftPolicy = DriftPolicy.IGNORE
    start: date = FIRST_DATE
    title: str = ""
    description: str = ""
    domain: str = "default"
    owner: str | None = None
    support: tuple[Channel, ...] = ()
    tags: tuple[str, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    gates: GateRules = _GATES
    expectations: tuple[Expectation, ...] = ()
    freshness: Freshness | None = None
    cost: CostRules = _COST
    notify: NotifyRules = _NOTIFY
    healing: HealingPolicy = _HEALING
    maintenance: MaintenancePolicy = _MAINTENANCE
    schedule: Schedule | None = None
    plain_table: bool = False
    engine: EngineRules = _ENGINE
    path: str = ""
    text: str = field(default="", compare=False, repr=False)  # the file as it was read
    fingerprint: str = field(default="", compare=False)
    downstream: tuple[str, ...] = field(default=(), compare=False)  # what is derived from it, in build order

    def column(self, name: str) -> Column:
        """Return the column of that name; raises KeyError (names are checked when the contract is read)."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def rules_fingerprint_of(contract: Contract) -> str:
    """12 hex digits over what decides the verdicts on the same staged rows; stored verdicts hold only for the same."""
    decisive = (contract.gates, contract.expectations, contract.cost)
    return hashlib.sha256(repr(decisive).encode()).hexdigest()[:12]


def fingerprint_of(contract: Contract) -> str:
    """12 hex digits over what decides which rows are published and how; titles, owners and the like do not count."""
    decisive = (
        tuple((c.name, c.type, c.required, c.unique, c.rules) for c in contract.columns),
        contract.source,
        contract.transform_sql,
        contract.primary_key,
        contract.order_by,
        contract.sort_by,
        contract.unknown_fields,
    )
    shims = tuple((c.name, c.shim) for c in contract.columns if c.shim != _NO_SHIM)
    quarantines = contract.drift is DriftPolicy.QUARANTINE
    # What a contract does not use must not change its fingerprint: its tables would all be stale.
    text = repr((decisive, shims, quarantines)) if shims or quarantines else repr(decisive)
    if contract.source and contract.source.pull:
        text += contract.source.pull.records
    return hashlib.sha256(text.encode()).hexdigest()[:12]
