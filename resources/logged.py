"""Runs a module of somebody else's with our logs: `python -m resources.logged dagster code-server start ...`."""

from __future__ import annotations

import os
import runpy
import sys
from typing import TYPE_CHECKING

from resources.telemetry import keep_telemetry
from resources.telemetry_settings import telemetry_settings
from resources.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(module: str, arguments: Sequence[str]) -> None:
    keep_telemetry(telemetry_settings(Variables(os.environ)))
    _pass_on()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _pass_on() -> None:
    """Have code servers start their own process, the one that works, in the same way."""
    from dagster._grpc import server

    def entry_point(executable_path: str) -> Sequence[str]:
        return [executable_path, "-m", "resources.logged", "dagster"]

    server.get_python_environment_entry_point = entry_point  # type: ignore[attr-defined]  # what it imports itself


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
