from __future__ import annotations

import inspect

from dagster._daemon import sensor

from resources.prompt_daemon import LOOP_SECONDS


def test_dagsters_sensor_loop_still_has_the_floor_that_is_lowered() -> None:
    assert sensor.MIN_INTERVAL_LOOP_TIME > LOOP_SECONDS
    assert "MIN_INTERVAL_LOOP_TIME" in inspect.getsource(sensor.execute_sensor_iteration_loop)
