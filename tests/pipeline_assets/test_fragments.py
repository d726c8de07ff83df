"""A partition built from fragments is the partition built anew, record for record, and reads only what changed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.contract import Column
from sluice.datatypes import Integer, Text
from tests.pipeline_assets.twins import (
    ALWAYS,
    EVENTS,
    KEYLESS,
    NEVER,
    OFTEN,
    STRICTER,
    UNORDERED,
    Noting,
    Step,
    Twin,
    events,
    lines,
    play,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sluice.contract import Contract
    from sluice.fragments.merge_plan import MergeRules

NAMES = ("a", "b", "c", "d", "e")

RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.one_of(st.none(), st.integers(0, 3), st.integers(0, 3), st.just("no number")),
        "shop": st.sampled_from(["x", "y", None]),
        "at": st.one_of(st.none(), st.integers(0, 2)),
        "amount": st.integers(0, 9),
        "extra": st.integers(0, 1),
    },
)
LINES = st.one_of(RECORDS.map(json.dumps), st.sampled_from(["{bad", "[1]", "", '{"id":1,"id":2}']))
TEXTS = st.lists(LINES, max_size=5).map(lambda found: "".join(f"{line}\n" for line in found).encode())
CONTENTS = st.one_of(TEXTS, TEXTS, TEXTS, st.just(b"\x1f\x8bcut"))
STEPS = st.builds(
    Step,
    put=st.dictionaries(st.sampled_from(NAMES), CONTENTS, max_size=2),
    removed=st.one_of(st.none(), st.none(), st.sampled_from(NAMES)),
    other_contract=st.sampled_from([False, False, False, True]),
    published=st.booleans(),
)
SEQUENCES: dict[str, Any] = {
    "start": st.dictionaries(st.sampled_from(NAMES), CONTENTS, min_size=2),
    "contracts": st.sampled_from([(EVENTS, STRICTER), (EVENTS, STRICTER), (UNORDERED, EVENTS), (KEYLESS, EVENTS)]),
    "steps": st.lists(STEPS, min_size=2, max_size=5),
    "rules": st.sampled_from([NEVER, OFTEN, ALWAYS]),
}


@settings(max_examples=2, deadline=None, derandomize=True)
@given(**SEQUENCES)
def test_any_sequence_comes_to_what_a_full_recompute_comes_to(
    start: dict[str, bytes], contracts: tuple[Contract, Contract], steps: list[Step], rules: MergeRules
) -> None:
    with TemporaryDirectory() as home:
        play(Path(home), start, contracts, steps, rules)


@pytest.mark.long
@settings(max_examples=80, deadline=None)
@given(**SEQUENCES)
def test_very_many_sequences_come_to_what_a_full_recompute_comes_to(
    start: dict[str, bytes], contracts: tuple[Contract, Contract], steps: list[Step], rules: MergeRules
) -> None:
    with TemporaryDirectory() as home:
        play(Path(home), start, contracts, steps, rules)


@pytest.fixture
def twin(tmp_path: Path) -> Twin:
    """Two objects that are published, and one more."""
    built = Twin(tmp_path, rules=NEVER)
    built.objects |= {"b": lines({"id": 1, "at": 1}, {"id": 2, "at": 1}), "c": lines({"id": 3, "at": 1})}
    built.build(EVENTS)
    built.objects["d"] = lines({"id": 4, "at": 1})
    return built


def anew(twin: Twin, home: Path, contract: Contract = EVENTS) -> dict[str, Any]:
    """Return what the twin's objects come to where nothing was built before."""
    other = Twin(home / "anew", objects=twin.objects)
    other.build(contract)
    return {**other.shows(), "redriven": None}


def test_one_more_object_is_the_only_one_that_is_opened(twin: Twin) -> None:
    store = Noting(twin.store)

    outcome = twin.build(EVENTS, store=store)

    assert store.opened("raw/") == ["raw/events/d"]
    assert (outcome.objects_parsed, outcome.objects_reused, outcome.published) == (1, 2, 4)


def test_files_of_untouched_fragments_are_shown_as_they_are(twin: Twin) -> None:
    before = twin.newest

    outcome = twin.build(EVENTS)

    assert before is not None
    assert outcome.files[:1] == before.files
    assert len(outcome.files) == 2


def test_only_a_file_that_loses_a_record_is_rewritten(twin: Twin, tmp_path: Path) -> None:
    first = twin.build(EVENTS)
    twin.objects["e"] = lines({"id": 4, "at": 2})

    outcome = twin.build(EVENTS)

    assert [file.key for file in outcome.files][:1] == [file.key for file in first.files][:1]
    assert [item.lost for item in outcome.fragments] == [{}, {2: 1}, {}]
    assert outcome.fragments[1].file == first.fragments[1].file
    assert twin.shows() == anew(twin, tmp_path)


def test_a_file_that_was_rewritten_stays_until_its_fragment_loses_more(twin: Twin) -> None:
    twin.objects["d"] = lines({"id": 1, "at": 2}, {"id": 2, "at": 0})
    first = twin.build(EVENTS)
    twin.objects["e"] = lines({"id": 9, "at": 1})

    outcome = twin.build(EVENTS)

    assert first.fragments[0].shown is not None
    assert first.fragments[1].shown is not None
    assert outcome.files[:2] == first.files
    assert (outcome.published, outcome.duplicates) == (4, 2)


def test_a_record_comes_back_when_the_one_that_superseded_it_is_gone(twin: Twin, tmp_path: Path) -> None:
    twin.objects["d"] = lines({"id": 1, "at": 2}, {"id": 9})
    twin.build(EVENTS)
    del twin.objects["d"]
    twin.objects["e"] = b""

    outcome = twin.build(EVENTS)

    assert outcome.objects_parsed == 1
    assert twin.shows() == anew(twin, tmp_path)


@pytest.mark.parametrize("name", ["a", "bb", "z"])
def test_a_tie_is_won_by_the_later_key_wherever_the_new_object_sorts(twin: Twin, tmp_path: Path, name: str) -> None:
    twin.objects[name] = lines({"id": 1, "at": 1, "shop": name})

    twin.build(EVENTS)

    assert twin.shows() == anew(twin, tmp_path)


def test_other_objects_of_a_fragment_that_lost_one_are_parsed_again(twin: Twin, tmp_path: Path) -> None:
    twin.build(EVENTS)
    twin.objects["b"] = lines({"id": 4, "at": 7})
    store = Noting(twin.store)

    twin.build(EVENTS, store=store)

    assert store.opened("raw/") == ["raw/events/b", "raw/events/c"]
    assert twin.shows() == anew(twin, tmp_path)


def test_an_object_that_is_taken_away_costs_no_parsing_of_other_fragments(twin: Twin) -> None:
    twin.build(EVENTS)
    del twin.objects["d"]
    twin.objects["e"] = lines({"id": 5})
    store = Noting(twin.store)

    twin.build(EVENTS, store=store)

    assert store.opened("raw/") == ["raw/events/e"]


def test_another_contract_takes_nothing_over(twin: Twin) -> None:
    outcome = twin.build(STRICTER)

    assert (outcome.objects_parsed, outcome.objects_reused) == (3, 0)


def test_another_code_version_takes_nothing_over(twin: Twin) -> None:
    assert twin.published is not None
    twin.published = twin.published.model_copy(update={"code_version": "0"})
    twin.forget_newest()

    assert twin.build(EVENTS).objects_parsed == 3


def test_what_is_staged_but_not_published_is_taken_over(twin: Twin) -> None:
    twin.build(EVENTS, publish=False)
    twin.objects["e"] = lines({"id": 5})

    assert twin.build(EVENTS).objects_parsed == 1


@pytest.mark.parametrize("which", [pytest.param("file", id="rows"), pytest.param("keys", id="keys")])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"cut")], ids=["gone", "cut short"])
def test_a_fragment_without_its_files_is_parsed_again(
    twin: Twin, tmp_path: Path, which: str, damage: Callable[[Path], object]
) -> None:
    assert twin.newest is not None
    damage(twin.home / getattr(twin.newest.fragments[0], which).key)

    outcome = twin.build(EVENTS)

    assert outcome.objects_parsed == 3
    assert twin.shows() == anew(twin, tmp_path)


@pytest.mark.parametrize("text", [b"", b"0123456789abcdef", b"\xff../../"], ids=["nothing", "unknown", "no version"])
def test_a_wrong_note_of_the_newest_version_only_costs_time(twin: Twin, text: bytes) -> None:
    twin.published = None
    (note,) = twin.home.glob("processed/events/*/_newest-*")
    note.write_bytes(text)

    assert twin.build(EVENTS).objects_parsed == 3


def test_values_that_must_be_unique_are_judged_over_the_whole_partition(tmp_path: Path) -> None:
    declared = events(Column("id", Integer()), Column("shop", Text(), unique=True))
    twin = Twin(tmp_path, objects={"a": lines({"id": 1, "shop": "x"})})
    twin.build(declared)
    twin.objects["b"] = lines({"id": 2, "shop": "x"})

    outcome = twin.build(declared)

    assert (outcome.fragments, outcome.objects_parsed) == ((), None)
    assert [(item.published, item.quarantined) for item in outcome.objects] == [(0, 1), (1, 0)]


def test_small_fragments_are_merged_without_being_parsed(twin: Twin, tmp_path: Path) -> None:
    twin.rules = ALWAYS
    twin.objects["d"] = lines({"id": 1, "at": 2}, {"id": 4}) + b"{bad\n"
    store = Noting(twin.store)

    outcome = twin.build(EVENTS, store=store)

    assert store.opened("raw/") == ["raw/events/d"]
    assert [item.objects for item in outcome.fragments] == [(0, 1, 2)]
    assert (len(outcome.files), len(outcome.quarantine_files)) == (1, 1)
    assert twin.shows() == anew(twin, tmp_path)


def test_a_merged_fragment_is_taken_over_like_any_other(twin: Twin, tmp_path: Path) -> None:
    twin.rules = ALWAYS
    twin.build(EVENTS)
    twin.objects["a"] = lines({"id": 4, "at": 1}, {"id": 3, "at": 2})

    outcome = twin.build(EVENTS)

    assert outcome.objects_parsed == 1
    assert twin.shows() == anew(twin, tmp_path)


def test_two_writers_at_once_come_to_one_outcome(twin: Twin, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(lambda run: replace(twin, builds=run).build(EVENTS), (5, 6))
    twin.newest = one

    assert one == other
    assert twin.shows() == anew(twin, tmp_path)
