"""What every command pays for before it begins."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
IMPORTED = "import json, sys; import pipeline_assets.cli.app; print(json.dumps(sorted(sys.modules)))"


def test_a_command_loads_nothing_heavy_before_it_knows_that_it_needs_it() -> None:
    """Arrow and the transform alone doubled the start of every command, to 0.7 s."""
    done = subprocess.run([sys.executable, "-c", IMPORTED], cwd=CHECKOUT, capture_output=True, text=True, check=True)

    heavy = {"dagster", "great_expectations", "httpx", "pandas", "pyarrow", "pyiceberg", "sqlalchemy", "sqlglot"}
    assert heavy & set(json.loads(done.stdout)) == set()
