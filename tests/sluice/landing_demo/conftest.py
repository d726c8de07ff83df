"""The demo's landing zone, generated once."""

from __future__ import annotations

import pytest

from sluice.landing_demo import DemoObject, landing_objects, late_objects, repaired_objects


@pytest.fixture(scope="session")
def landed() -> dict[str, DemoObject]:
    """What lands first, by key."""
    return {item.key: item for item in landing_objects()}


@pytest.fixture(scope="session")
def in_the_end(landed: dict[str, DemoObject]) -> dict[str, DemoObject]:
    """The same after the late object and the repaired one, by key."""
    return landed | {item.key: item for item in (*late_objects(), *repaired_objects())}
