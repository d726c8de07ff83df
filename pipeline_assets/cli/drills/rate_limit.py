"""An HTTP source is asked too often and answers 429 with Retry-After."""

from __future__ import annotations

import threading
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from pipeline_assets.cli.drills.actions import has_incident, is_published, is_published_again, sales_contract
from pipeline_assets.cli.drills.local_server import json_answer, local_server
from pipeline_assets.cli.drills.scene import Ask, Do, Drill, Expect, Scene
from resources.clock import SystemClock
from sluice.healing.failure import FailureClass
from sluice.healing.incident import RemedyKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack
    from datetime import datetime

    from pipeline_assets.cli.drills.local_server import Answer
    from pipeline_assets.cli.drills.stage import Stage

DATASET = "drill_sales"
PAGE_RECORDS = 5
PAGES = 2
ASKED_WAIT = timedelta(seconds=12)  # more than a pull waits for on the spot

SETTINGS = """\
pull: { every: 1 min, days: 1, records: items, next: { page: page, start: 1 } }
healing: { retries: { upstream_unavailable: { most: 8, first: 1 s, cap: 5 s } } }"""
ROWS = f"SELECT count(*), sum(amount) FROM {DATASET}"
_SOURCE = FailureClass.UPSTREAM_UNAVAILABLE


class Vendor:
    """Serves pages of sales. Once it is made to limit, it refuses the last page for as long as it says."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clock = SystemClock()
        self.amount = 1.0
        self._limits = False
        self._clear_at: datetime | None = None
        self.refusals = 0
        self.too_early = 0
        self.first_pages = 0

    def limit(self, _: Stage) -> None:
        with self._lock:
            self.amount, self._limits, self.first_pages = 2.0, True, 0

    def was_waited_for(self, _: Stage) -> bool:
        return self.refusals == 1 and not self.too_early

    def tell(self, _: Stage) -> str:
        """Usually the first page is asked for once; a pull of the next minute that comes in between asks again."""
        return f"left alone for {ASKED_WAIT.seconds} s after its one 429; first page sent: {self.first_pages} x"

    def answer(self, parameters: Mapping[str, str], _: bytes) -> Answer:
        page = int(parameters.get("page", "1"))
        with self._lock:
            if page > PAGES:
                return json_answer({"items": []})
            if page == 1 and self._limits:
                self.first_pages += 1
            if self._limits and page == PAGES and not self._is_over():
                return HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(int(ASKED_WAIT.total_seconds()))}, b""
            numbers = range((page - 1) * PAGE_RECORDS, page * PAGE_RECORDS)
            return json_answer({"items": [{"sale_id": n, "shop": "web", "amount": self.amount} for n in numbers]})

    def _is_over(self) -> bool:
        now = self._clock.now()
        if self._clear_at is None:
            self._clear_at, self.refusals = now + ASKED_WAIT, 1
        elif now < self._clear_at:
            self.too_early += 1
        else:
            self._limits = False
        return not self._limits


def build(stack: ExitStack, now: datetime) -> Scene:
    day, records = now.date().isoformat(), PAGES * PAGE_RECORDS
    vendor = Vendor()
    port = stack.enter_context(local_server(vendor.answer))
    server = f'type: api, location: "http://127.0.0.1:{port}/sales?day={{date}}", format: json'
    return Scene(
        {DATASET: sales_contract(DATASET, SETTINGS, server=server, start=day)},
        (
            Expect("the source is pulled and published", is_published(DATASET, day, records)),
            Do("the source has new data, but answers 429 to the second page: Retry-After 12 s", vendor.limit),
            Expect("it is noticed and retried", has_incident(DATASET, _SOURCE, RemedyKind.RETRY_LATER)),
            Ask("what was pulled last in the table (rows, amount)", ROWS, [(records, records)]),
            Expect("the new data is published", is_published_again(DATASET, day, records)),
            Ask("the new data in the table (rows, amount)", ROWS, [(records, 2 * records)]),
            Expect("nobody asked before Retry-After was over", vendor.was_waited_for),
            Do("", vendor.tell, who="source"),
        ),
    )


DRILL = Drill("rate-limit", "A source that is pulled over HTTP answers 429 with Retry-After", build)
