from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline_assets.cli.pulse import answers

if TYPE_CHECKING:
    from pathlib import Path


def test_nobody_answers_where_nobody_listens(tmp_path: Path) -> None:
    assert not answers(tmp_path / "code.sock")
