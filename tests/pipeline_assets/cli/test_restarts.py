from __future__ import annotations

import pytest

from pipeline_assets.cli.restarts import seconds_before_restart


@pytest.mark.parametrize(
    ("ends", "seconds"),
    [
        pytest.param([100.0], 1.0, id="the first"),
        pytest.param([100.0, 110.0], 2.0, id="the second"),
        pytest.param([100.0, 110.0, 120.0, 130.0, 140.0], 16.0, id="the fifth"),
        pytest.param([100.0, 110.0, 120.0, 130.0, 140.0, 150.0], None, id="one too many"),
        pytest.param([100.0, 110.0, 120.0, 130.0, 140.0, 741.0], 1.0, id="the first for ten minutes"),
    ],
)
def test_a_server_is_started_again_later_each_time_and_not_for_ever(ends: list[float], seconds: float | None) -> None:
    assert seconds_before_restart(ends) == seconds
