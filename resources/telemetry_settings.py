"""How logs and metrics are written; read from the environment with the other settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACE = "Sluice"
_NAMESPACE = re.compile(r"(?!AWS/)[A-Za-z0-9._/#:-]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """Without a `namespace` no metrics are written."""

    are_logs_json: bool = False
    namespace: str | None = None

    @property
    def is_on(self) -> bool:
        return self.are_logs_json or self.namespace is not None


QUIETLY = TelemetrySettings()


def telemetry_settings(environ: Mapping[str, str]) -> TelemetrySettings:
    """Read SLUICE_LOGS (human, json) and SLUICE_METRICS (off, emf, emf:NAMESPACE); raises SettingInvalid."""
    logs = environ.get("SLUICE_LOGS") or "human"
    if logs not in {"human", "json"}:
        raise SettingInvalid(
            name="SLUICE_LOGS", value=logs, problem="is no way to write logs", cure="Write human or json."
        )
    return TelemetrySettings(logs == "json", _namespace(environ.get("SLUICE_METRICS") or "off"))


def _namespace(text: str) -> str | None:
    way, separator, name = text.partition(":")
    namespace = name if separator else NAMESPACE
    if text == "off":
        return None
    if way == "emf" and _NAMESPACE.fullmatch(namespace):
        return namespace
    raise SettingInvalid(
        name="SLUICE_METRICS",
        value=text,
        problem="is no way to write metrics",
        cure="Write emf, emf:NAMESPACE with letters, digits and ./#:_- (not AWS/...), or off.",
    )
