from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pipeline_assets.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


@dataclass(frozen=True)
class Command:
    """The `sluice` command with a home and dataset folders of its own."""

    home: Path
    datasets: Path

    def __call__(self, *arguments: object, stdin: str | None = None) -> Result:
        environ = {"SLUICE_HOME": str(self.home), "SLUICE_DATASETS": str(self.datasets)}
        return CliRunner().invoke(app, [str(item) for item in arguments], input=stdin, env=environ)

    def rows(self, *arguments: object) -> list[dict[str, Any]]:
        """Return what a command prints with --json; it must succeed."""
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.output
        rows: list[dict[str, Any]] = json.loads(result.stdout)
        return rows


@pytest.fixture
def sluice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    datasets = tmp_path / "datasets"
    datasets.mkdir()
    return Command(tmp_path / "home", datasets)
