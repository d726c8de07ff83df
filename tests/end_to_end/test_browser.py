"""What a person sees in the web UI, in a real browser. `make test-browser`; needs chromium."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.end_to_end.test_service import Service, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PATIENCE_MS = 60_000
DAY = "2026-11-10"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose daemon has built one landed partition and what is derived from it."""
    with Service(tmp_path_factory.mktemp("home")) as service:
        service.wait_until_up()
        service.land(DAY, (1, "north", 2.5))
        assert wait_for(lambda: service.rows("sales_totals", DAY), 300)
        yield service


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium")
    assert chromium, "Install chromium first: apt-get install chromium"
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        yield browser.new_page(viewport={"width": 1600, "height": 900})


def open_page(page: Page, service: Service, path: str) -> None:
    page.goto(f"http://127.0.0.1:{service.port}{path}", timeout=PATIENCE_MS)


def test_the_partitions_page_shows_what_was_built(service: Service, page: Page) -> None:
    open_page(page, service, "/assets/tables/sales?view=partitions")

    expect(page.get_by_text("Materialized (1)")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Failed (0)")).to_be_visible()


def test_the_lineage_of_a_derived_table_reaches_back_to_the_files(service: Service, page: Page) -> None:
    open_page(page, service, "/assets/tables/sales_totals?view=lineage&lineageScope=upstream&lineageDepth=9")

    expect(page.locator("a[href*='/assets/raw/sales?']").first).to_be_visible(timeout=PATIENCE_MS)


def test_the_checks_page_shows_that_records_are_conserved(service: Service, page: Page) -> None:
    open_page(page, service, "/assets/processed/sales?view=checks")

    expect(page.get_by_text("records_are_conserved").first).to_be_visible(timeout=PATIENCE_MS)
