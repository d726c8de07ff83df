"""What holds for the house as a whole: documents, lock files, names."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from pipeline_assets.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md"), *ROOT.glob("deploy/**/*.md")]
)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = [document.parent / link for link in LINK.findall(document.read_text())]

    assert [str(target) for target in targets if not target.exists()] == []


def test_the_command_reference_names_every_command() -> None:
    reference = (ROOT / "docs/cli.md").read_text()
    commands = get_command(app).list_commands(None)  # type: ignore[attr-defined]  # it is a group

    assert [name for name in commands if f"`{name}" not in reference] == []


def test_decisions_are_numbered_and_listed() -> None:
    pages = sorted(path.name for path in (ROOT / "docs/decisions").glob("0*.md"))
    index = (ROOT / "docs/decisions/README.md").read_text()

    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))
    assert [name for name in pages if f"({name})" not in index] == []


def check_locks(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, root / ".ci/locks.py", "check"], capture_output=True, text=True, check=False)


def test_lock_files_are_in_step_with_the_dependencies() -> None:
    result = check_locks(ROOT)

    assert (result.returncode, result.stderr) == (0, "")


def test_a_dependency_that_is_not_locked_is_noticed(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/locks.py", tmp_path / ".ci")
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    shutil.copy(ROOT / "requirements-dev.lock", tmp_path)
    project = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(project.replace('"rich>=14"', '"rich>=15"'))

    result = check_locks(tmp_path)

    assert result.returncode == 1
    assert "requirements.lock is older" in result.stderr
    assert "make lock" in result.stderr
