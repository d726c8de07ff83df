"""Fixtures that more than one room's tests use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    # Imported here: tests of the core never import Dagster.
    import dagster as dg

    from tests.world import World

    with dg.DagsterInstance.ephemeral() as instance:
        yield World(tmp_path, instance)
