"""One of two sources begins to send a field that the contract does not know."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from pipeline_assets.cli.drills.actions import has_incident, is_published, json_lines, land, sales, sales_contract
from pipeline_assets.cli.drills.local_server import json_answer, local_server
from pipeline_assets.cli.drills.scene import Ask, Do, Drill, Expect, Scene
from pipeline_assets.cli.sandbox import call
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack
    from datetime import datetime

    from pipeline_assets.cli.drills.local_server import Answer
    from pipeline_assets.cli.drills.stage import Stage

DATASET = "drill_sales"
ROUTE = "DRILL"

SETTINGS = f"drift: quarantine\nnotify: {{ routes: [{{ to: {ROUTE} }}] }}"
HEALTHY = sales(range(10))
DRIFTED = json_lines({"sale_id": n, "shop": "web", "amount": 1, "channel": "app"} for n in range(100, 105))
ROWS = f"SELECT count(*) FROM {DATASET}"
CHANNELS = f"SELECT channel, count(*) FROM {DATASET} GROUP BY channel ORDER BY channel"


class Owner:
    """Hears what is sent to the owner's webhook."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: list[str] = []

    def hear(self, _: Mapping[str, str], body: bytes) -> Answer:
        with self._lock:
            self._heard.append(str(json.loads(body).get("title", "")))
        return json_answer({})

    def was_told(self, _: Stage) -> bool:
        return bool(self._heard)

    def say(self, _: Stage) -> str:
        return f"was told: {self._heard[0]}"


def build(stack: ExitStack, now: datetime) -> Scene:
    day = now.date().isoformat()
    owner = Owner()
    port = stack.enter_context(local_server(owner.hear))
    return Scene(
        {DATASET: sales_contract(DATASET, SETTINGS)},
        (
            Do(
                'two files land: that of the shops as ever, that of the web with a new field "channel"',
                land(DATASET, day, {"shops.jsonl": HEALTHY, "web.jsonl": DRIFTED}),
            ),
            Expect("the healthy file is published", is_published(DATASET, day, 10)),
            Expect("the other is quarantined", has_incident(DATASET, FailureClass.SCHEMA_DRIFT, RemedyKind.QUARANTINE)),
            Ask("the healthy records alone", ROWS, [(10,)]),
            Expect("the owner is told", owner.was_told),
            Do("", owner.say, who="owner"),
            Do(f"sluice drift {DATASET} --write: the next contract is proposed", _write, who="owner"),
            Do(f"sluice drift {DATASET} --accept: it is accepted", _accept, who="owner"),
            Expect("what was quarantined is published by itself", is_published(DATASET, day, 15)),
            Ask("both files, the new column in one (channel, rows)", CHANNELS, [("app", 5), (None, 10)]),
        ),
        {f"SLUICE_NOTIFY_{ROUTE}": f"json://127.0.0.1:{port}/"},
    )


def _write(stage: Stage) -> None:
    call(stage.environment, "drift", DATASET, "--write")


def _accept(stage: Stage) -> None:
    call(stage.environment, "drift", DATASET, "--accept", "--yes")


DRILL = Drill("schema-drift", "One of two sources begins to send a field that the contract does not know", build)
