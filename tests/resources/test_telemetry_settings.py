"""How logs and metrics are written is a setting; what means nothing is refused."""

from __future__ import annotations

import pytest

from resources.telemetry_settings import TelemetrySettings, telemetry_settings
from sluice.errors import SettingInvalid


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, TelemetrySettings(), id="nothing"),
        pytest.param({"SLUICE_LOGS": "", "SLUICE_METRICS": ""}, TelemetrySettings(), id="empty"),
        pytest.param({"SLUICE_LOGS": "human", "SLUICE_METRICS": "off"}, TelemetrySettings(), id="off"),
        pytest.param({"SLUICE_LOGS": "json"}, TelemetrySettings(are_logs_json=True), id="logs"),
        pytest.param({"SLUICE_METRICS": "emf"}, TelemetrySettings(namespace="Sluice"), id="metrics"),
        pytest.param({"SLUICE_METRICS": "emf:Shop/prod"}, TelemetrySettings(namespace="Shop/prod"), id="namespace"),
    ],
)
def test_settings_are_read(environ: dict[str, str], expected: TelemetrySettings) -> None:
    assert telemetry_settings(environ) == expected
    assert expected.is_on == (expected != TelemetrySettings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLUICE_LOGS", "xml"),
        ("SLUICE_METRICS", "statsd"),
        ("SLUICE_METRICS", "emf:"),
        ("SLUICE_METRICS", "emf:AWS/Lambda"),
        ("SLUICE_METRICS", "emf:a b"),
        ("SLUICE_METRICS", "off:x"),
    ],
)
def test_what_means_nothing_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match=name):
        telemetry_settings({name: value})
