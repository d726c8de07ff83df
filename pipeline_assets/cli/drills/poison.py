"""Files that cannot be read and records that break the contract land among good ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline_assets.cli.drills.actions import (
    has_incident,
    is_published,
    json_lines,
    land,
    sales,
    sales_contract,
    zipped,
)
from pipeline_assets.cli.drills.scene import Ask, Do, Drill, Expect, Scene
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind

if TYPE_CHECKING:
    from contextlib import ExitStack
    from datetime import datetime

    from pipeline_assets.cli.drills.stage import Stage

DATASET = "drill_sales"
POISON = {
    "cut.jsonl.gz": zipped(sales(range(1_000, 2_000)))[:200],
    "noise.jsonl": bytes(range(256)),
    "text.jsonl": b'{"sale_id": 2001, "shop": "north", "amount": 1.0\nnot json at all\n',
    "wrong.jsonl": json_lines({"sale_id": "many", "shop": None, "amount": 1} for _ in range(3)),
}
GOOD = {f"{name}.jsonl": sales(range(25 * number, 25 * (number + 1))) for number, name in enumerate("abcd")}
MOSTLY_POISON = {"a.jsonl": sales(range(10)) + b"not json\n" * 500}
CORRECTED = {"a.jsonl": sales(range(200, 250))}

QUARANTINED = [
    ("cut.jsonl.gz", 1, 0, "truncated_gzip"),  # quarantined whole: its bytes stay where it landed
    ("noise.jsonl", 2, 2, "invalid_utf8,malformed_json"),
    ("text.jsonl", 2, 2, "malformed_json"),
    ("wrong.jsonl", 3, 3, "wrong_type"),
]

ROWS = f"SELECT count(*) FROM {DATASET}"
REASONS = f"""
SELECT parse_filename(object) AS file, count(*), count(raw),
    string_agg(DISTINCT reasons[1].code ORDER BY reasons[1].code)
FROM quarantine.{DATASET} GROUP BY file ORDER BY file"""


def build(_: ExitStack, now: datetime) -> Scene:
    day = now.date().isoformat()
    return Scene(
        {DATASET: sales_contract(DATASET)},
        (
            Do(
                "four good files land, with them a cut gzip, noise, broken JSON, records that break the contract",
                land(DATASET, day, {**GOOD, **POISON}),
            ),
            Expect("the good records are published", is_published(DATASET, day, 100)),
            Ask("the good records alone in the table", ROWS, [(100,)]),
            Ask("quarantined (file, records, of them with their bytes, why)", REASONS, QUARANTINED),
            Expect("the numbers of every file close", _numbers_close),
            Do("a.jsonl is sent again; nearly all of it is no JSON", land(DATASET, day, MOSTLY_POISON)),
            Expect("a gate blocks it", has_incident(DATASET, FailureClass.QUALITY, RemedyKind.SERVE_LAST_GOOD)),
            Ask("the last good version in the table", ROWS, [(100,)]),
            Do("a.jsonl is sent again, corrected", land(DATASET, day, CORRECTED)),
            Expect("the partition is published again", is_published(DATASET, day, 125)),
            Ask("the corrected version in the table", ROWS, [(125,)]),
        ),
    )


def _numbers_close(stage: Stage) -> bool:
    (published,) = stage.environment.ledger.all_published(DATASET)
    return len(published.outcome.objects) == len({**GOOD, **POISON}) and all(
        item.closes for item in published.outcome.objects
    )


DRILL = Drill("poison", "Unreadable files and wrong records land among good ones", build)
