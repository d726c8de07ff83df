"""Looks at what Sluice uses of this machine: folders, disk, DuckDB, Dagster, the ledger. Leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

from sluice.checked import Checked, advice, broken, good
from sluice.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from resources.settings import Settings

_GB = 10**9
_LITTLE_BYTES, _SOME_BYTES = _GB, 10 * _GB


def check_machine(settings: Settings) -> Iterator[Checked]:
    yield _check_home(settings.home)
    yield _check_disk(_nearest(settings.home))
    yield _check_duckdb()
    yield _check_dagster(settings.dagster_home)
    if settings.dynamo is None:
        yield _check_ledger(settings)


def _check_home(home: Path) -> Checked:
    if not home.exists():
        parent = _nearest(home)
        if os.access(parent, os.W_OK | os.X_OK):
            return good("home", f"{home} is not there yet; the first command makes it")
        return broken("home", f"{home} cannot be made in {parent}", "Let this user write there, or set SLUICE_HOME.")
    try:
        for folder in [item for item in (home, home / "scratch", home / "raw", home / "tables") if item.exists()]:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"x")
    except OSError as error:
        cure = f"Let this user write to {home} (also to what is in it), or set SLUICE_HOME."
        return broken("home", f"{error.filename or home} cannot be written: {error.strerror}", cure)
    return good("home", f"{home} can be written")


def _check_disk(folder: Path) -> Checked:
    free = shutil.disk_usage(folder).free
    found, cure = f"{free / _GB:,.1f} GB are free on the disk of {folder}", "Free some, or set SLUICE_HOME to another."
    if free < _LITTLE_BYTES:
        return broken("disk", found, cure)
    return advice("disk", found, cure) if free < _SOME_BYTES else good("disk", found)


def _check_duckdb() -> Checked:
    import duckdb

    try:
        with duckdb.connect() as connection:
            connection.execute("SELECT json_valid('{}'), now() AT TIME ZONE 'UTC'")  # json and icu are built in
    except duckdb.Error as error:
        return broken("duckdb", f"{duckdb.__version__} does not work: {error}", "Install again: make install")
    return good("duckdb", duckdb.__version__)


def _check_dagster(home: Path) -> Checked:
    import dagster as dg

    if not (home / "dagster.yaml").exists():
        return good("dagster", f"{dg.__version__}; {home} is made by the first run")
    try:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            runs = instance.get_runs_count()
    except Exception as error:  # noqa: BLE001  its storage may be of any kind, and so its errors
        kind = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return broken(
            "dagster", f"{home} cannot be opened ({kind})", f"Move {home} away; the next run makes a new one."
        )
    return good("dagster", f"{dg.__version__}; {home} knows {runs:,} runs")


def _check_ledger(settings: Settings) -> Checked:
    from resources.ledger_schema import SCHEMA_VERSION
    from resources.sql_ledger.opening import fetch_schema_version

    try:
        version = fetch_schema_version(settings.ledger_url)
    except LedgerUnavailable as error:
        return broken("ledger", error.message, error.cure)
    if version is None:
        return good("ledger", "is not there yet; the first command makes it")
    if version > SCHEMA_VERSION:
        found = f"has schema {version}, this Sluice knows {SCHEMA_VERSION}"
        return broken("ledger", found, "Use the Sluice that wrote it, or a newer one.")
    if version < SCHEMA_VERSION:
        return good("ledger", f"has schema {version}; the next command brings it to {SCHEMA_VERSION}")
    return good("ledger", f"has schema {version}")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(item for item in (folder, *folder.parents) if item.exists())
