"""The note beside the pages tells a whole pull from half of one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sluice.contract import FileFormat
from sluice.errors import PullUnfinished
from sluice.location import Location
from sluice.manifest import RawObject, build_manifest
from sluice.pulling.note import LandedPage, PullNote, note_key, page_key, pages_pattern, read_note, require_whole

KEY = page_key("orders", "2026-11-03", 1, FileFormat.JSON)
PAGE = LandedPage(key=KEY, etag="e1", sha256="s")
NOTE = PullNote(is_complete=True, pulled_at=datetime(2026, 11, 4, tzinfo=UTC), pages=(PAGE,))


def test_pages_are_where_the_location_finds_them_and_the_note_is_not() -> None:
    location = Location.parse(pages_pattern("orders", FileFormat.JSON))

    assert location.partition_of(KEY.removeprefix("raw/")) == "2026-11-03"
    assert location.partition_of(note_key("orders", "2026-11-03").removeprefix("raw/")) is None


def test_a_note_is_read_as_it_was_written() -> None:
    assert read_note(NOTE.model_dump_json().encode()) == NOTE


@pytest.mark.parametrize("note", [None, NOTE], ids=["not pulled", "all of one pull"])
def test_whole_pulls_are_built(note: PullNote | None) -> None:
    objects = (RawObject(KEY, "e1", 1), RawObject("raw/orders/date=2026-11-03/page-by-hand.json.gz", "e2", 1))

    require_whole(note, build_manifest("orders", "2026-11-03", objects))


@pytest.mark.parametrize(
    ("note", "objects"),
    [
        pytest.param(NOTE.model_copy(update={"is_complete": False}), (RawObject(KEY, "e1", 1),), id="being replaced"),
        pytest.param(NOTE, (RawObject(KEY, "other", 1),), id="another page"),
        pytest.param(NOTE, (RawObject("raw/x", "e1", 1),), id="a page is missing"),
    ],
)
def test_half_pulls_are_not(note: PullNote, objects: tuple[RawObject, ...]) -> None:
    with pytest.raises(PullUnfinished):
        require_whole(note, build_manifest("orders", "2026-11-03", objects))
