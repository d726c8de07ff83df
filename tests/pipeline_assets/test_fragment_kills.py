"""`kill -9` while a partition is built from fragments, then the same build again: as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline_assets.twins import ALWAYS, EVENTS, NEVER, Twin, lines

if TYPE_CHECKING:
    from sluice.fragments.merge_plan import MergeRules

pytestmark = pytest.mark.long


class Killing:
    """A store whose process dies before or after its so-manieth write."""

    def __init__(self, store: Any, writes: int, when: str) -> None:
        self._store, self._left, self._when = store, writes, when

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, *arguments: Any, **keywords: Any) -> bool:
        self._left -= 1
        if not self._left and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done: bool = self._store.put(*arguments, **keywords)
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


def one_more(home: Path, rules: MergeRules) -> Twin:
    twin = Twin(home, rules=rules)
    twin.objects |= {"b": lines({"id": 1, "at": 1}, {"id": 2, "at": 3}), "c": b'{"id":"bad"}\n'}
    twin.build(EVENTS)
    twin.objects["d"] = lines({"id": 1, "at": 2}, {"id": 2, "at": 2}, {"id": 4}) + b"{bad\n"
    return twin


def build_and_die(home: str, writes: int, when: str, small_bytes: int) -> None:
    rules = NEVER if small_bytes == NEVER.small_bytes else ALWAYS
    twin = one_more(Path(home), rules)
    twin.build(EVENTS, store=Killing(twin.store, writes, when))


@pytest.mark.parametrize("rules", [NEVER, ALWAYS], ids=["several files", "merged"])
@pytest.mark.parametrize(
    ("writes", "when"), [(1, "after"), (2, "after"), (3, "after"), (4, "before"), (4, "after"), (5, "after")]
)
def test_a_killed_build_is_finished_by_the_next(tmp_path: Path, rules: MergeRules, writes: int, when: str) -> None:
    arguments = (str(tmp_path / "killed"), writes, when, rules.small_bytes)
    killed = multiprocessing.get_context("spawn").Process(target=build_and_die, args=arguments)
    killed.start()
    killed.join()

    twin = one_more(tmp_path / "killed", rules)
    outcome = twin.build(EVENTS)
    whole = Twin(tmp_path / "whole", anew=True, objects=twin.objects)
    whole.build(EVENTS)

    assert killed.exitcode == -signal.SIGKILL
    assert outcome.objects_parsed == 1
    assert {**twin.shows(), "redriven": None} == whole.shows()
