"""The folder that Dagster keeps its records in, and the instance that reads and writes them."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFIGURATION = Path(__file__).resolve().parents[1] / "deploy" / "local" / "dagster.yaml"


def prepare_dagster_home(home: Path) -> Path:
    """Create the folder with this checkout's dagster.yaml in it."""
    home.mkdir(parents=True, exist_ok=True)
    configuration = Template(_CONFIGURATION.read_text()).substitute(event_log=json.dumps(str(home / "history")))
    # By rename, because a server may be reading the file.
    written = home / f".dagster.yaml.{os.getpid()}"
    written.write_text(configuration)
    written.replace(home / "dagster.yaml")
    return home


@contextmanager
def open_dagster(home: Path) -> Iterator[dg.DagsterInstance]:
    """Open the instance that lives in `home`, whatever DAGSTER_HOME says."""
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(home))) as instance:
        yield instance
