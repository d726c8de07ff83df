"""The templates, made once, and a shell that stands before an account."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.deploy.templates import CHECKOUT, MAKE, VARIANTS, read, synthesize

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.templates import Template


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of `make synth`, which also lints."""
    folder = tmp_path_factory.mktemp("synth")
    command = [*MAKE, "synth", f"TEMPLATES={folder}"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def templates(synthesized: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    return {**read(synthesized), **synthesize(VARIANTS, tmp_path_factory.mktemp("variants"))}
