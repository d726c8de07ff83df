"""When a staged partition replaces what its table shows."""

from __future__ import annotations

import pytest

from sluice.publishing import Effect, Held, decide_publication
from sluice.version import Version

A, B = Version("a" * 16, "c" * 12, "1"), Version("b" * 16, "c" * 12, "1")


@pytest.mark.parametrize(
    ("held", "mine", "expected"),
    [
        pytest.param(None, (A, 1), Effect.COMMITTED, id="the first publication"),
        pytest.param((A, 1), (A, 1), Effect.ALREADY_HELD, id="the same again"),
        pytest.param((A, 1), (B, 2), Effect.COMMITTED, id="a newer manifest"),
        pytest.param((B, 2), (A, 1), Effect.SUPERSEDED, id="a slow writer of an older manifest"),
        pytest.param((A, 1), (B, 1), Effect.COMMITTED, id="the same manifest under another contract or code"),
        pytest.param((A, 1), (A, 3), Effect.COMMITTED, id="a manifest that returns is held at its new sequence"),
        pytest.param((A, 3), (A, 1), Effect.SUPERSEDED, id="a slow writer of the manifest before it returned"),
        pytest.param((A, 3), (B, 2), Effect.SUPERSEDED, id="a slow writer of what was in between"),
    ],
)
def test_publication_follows_the_arrival_of_manifests(
    held: tuple[Version, int] | None, mine: tuple[Version, int], expected: Effect
) -> None:
    assert decide_publication(Held(*held, snapshot_id=7) if held else None, *mine) is expected


def test_what_is_held_survives_being_written_as_text() -> None:
    held = Held(A, 1_795_000_000_000, 9_223_372_036_854_775_807)

    assert Held.parse(str(held)) == held


@pytest.mark.parametrize("text", ["", "a-b-c 1", "a-b-c x 1", "a-b 1 1", "a-b-c 1 1 1"])
def test_other_text_is_not_taken_for_what_is_held(text: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        Held.parse(text)
