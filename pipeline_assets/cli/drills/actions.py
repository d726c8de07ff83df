"""What drills do and look for, as steps need it."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

from sluice.healing.incident import RemedyKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeline_assets.cli.drills.stage import Stage
    from sluice.healing.failure import FailureClass
    from sluice.healing.incident import Incident

    Act = Callable[[Stage], None]
    Holds = Callable[[Stage], bool]


EARLY = "2020-01-01"


def json_lines(records: Iterable[Mapping[str, object]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def sales(numbers: Iterable[int], amount: float = 1.0) -> bytes:
    """Return records as the contract of `sales_contract` wants them."""
    return json_lines({"sale_id": number, "shop": "north", "amount": amount} for number in numbers)


def zipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def sales_contract(dataset: str, settings: str = "", *, head: str = "", server: str = "", start: str = EARLY) -> str:
    """Return a small contract; `settings` are lines of Sluice's own entry, `head` fields of the document."""
    own = "".join(f"      {line}\n" for line in settings.splitlines())
    lands = f'type: local, path: "{dataset}/date={{date}}/*.jsonl*", format: jsonl'
    return f"""\
# Made by sluice drill.
apiVersion: v3.2.0
kind: DataContract
id: {dataset}
version: 1.0.0
status: active
domain: drills
{head}servers:
  - {{ server: source, {server or lands} }}
schema:
  - name: {dataset}
    logicalType: object
    properties:
      - {{ name: sale_id, logicalType: integer, required: true, primaryKey: true }}
      - {{ name: shop, logicalType: string, required: true }}
      - {{ name: amount, logicalType: number, physicalType: "decimal(12,2)", required: true }}
customProperties:
  - property: sluice
    value:
      start: {start}
{own}"""


def land(dataset: str, day: str, files: Mapping[str, bytes]) -> Act:
    """Put files where they land, each of them whole at once; a file of the same name is replaced."""

    def act(stage: Stage) -> None:
        folder = stage.environment.settings.raw / dataset / f"date={day}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in files.items():
            draft = folder / f".{name}"
            draft.write_bytes(body)
            draft.replace(folder / name)

    return act


def in_turn(*acts: Act) -> Act:
    def act(stage: Stage) -> None:
        for one in acts:
            one(stage)

    return act


def is_published(dataset: str, day: str, records: int) -> Holds:
    """Whether the table shows so many records of the partition's own."""

    def holds(stage: Stage) -> bool:
        published = stage.environment.ledger.published(dataset, day)
        return published is not None and not published.outcome.stand_in and published.outcome.published == records

    return holds


def is_published_again(dataset: str, day: str, records: int) -> Holds:
    """Whether the table shows so many records of a second version: one whose publication is not the first."""
    is_there = is_published(dataset, day, records)

    def holds(stage: Stage) -> bool:
        ledger = stage.environment.ledger
        published, first = ledger.published(dataset, day), ledger.first_published(dataset).get(day)
        return is_there(stage) and published is not None and first is not None and published.published_at > first

    return holds


def incident_of(stage: Stage, dataset: str, failure_class: FailureClass) -> Incident | None:
    """Return the newest one of this class."""
    found = [item for item in stage.environment.ledger.incidents(dataset) if item.failure_class is failure_class]
    return found[-1] if found else None


def has_incident(dataset: str, failure_class: FailureClass, *remedies: RemedyKind) -> Holds:
    """Whether one of this class is there, with each of these remedies taken."""

    def holds(stage: Stage) -> bool:
        found = incident_of(stage, dataset, failure_class)
        return found is not None and set(remedies) <= {item.kind for item in found.remedies}

    return holds


def failed_tries(dataset: str, failure_class: FailureClass, most: int = 100) -> Callable[[Stage], int]:
    """Return what counts the attempts that failed like this."""

    def count(stage: Stage) -> int:
        ended = stage.environment.ledger.ended_attempts(most, dataset=dataset)
        return sum(item.failure_class is failure_class for item in ended)

    return count


def nobody_is_at_work(stage: Stage) -> bool:
    return not stage.environment.ledger.open_attempts()
