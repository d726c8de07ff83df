"""docs/api-sources.md as a stranger follows it: its server, its contract, its commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.end_to_end.test_service import CHECKOUT, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long

PAGE = (Path(__file__).parents[2] / "docs" / "api-sources.md").read_text(encoding="utf-8")
(SERVER,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(CONTRACT,) = re.findall(r"```yml\n(.*?)```", PAGE, re.DOTALL)
PORT = "8765"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Path]:
    """A folder with the page's files, while its server is up on a free port."""
    port = str(free_port())
    (tmp_path / "vendor.py").write_text(SERVER)
    (tmp_path / "shop" / "api_orders").mkdir(parents=True)
    (tmp_path / "shop" / "api_orders" / "contract.yaml").write_text(CONTRACT.replace(PORT, port))
    with subprocess.Popen([sys.executable, "vendor.py", port], cwd=tmp_path, stderr=subprocess.DEVNULL) as server:
        wait_until_up(f"http://127.0.0.1:{port}/v1/orders?day=2026-11-01")
        yield tmp_path
        server.terminate()


def wait_until_up(url: str) -> None:
    for _ in range(100):
        try:
            urlopen(url)
        except HTTPError:  # it answers, and asks who we are
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(url)


def sluice(folder: Path, *arguments: str, secret: str = "Bearer open-sesame") -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "SLUICE_HOME": str(folder / "home"),
        "SLUICE_DATASETS": str(folder / "shop"),
        "SLUICE_SECRET_SHOP": secret,
        "PYTHONPATH": os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-c", "from pipeline_assets.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def test_the_page_does_what_it_says(shop: Path) -> None:
    refused = sluice(shop, "run", secret="Bearer wrong-word")
    assert refused.returncode == 1
    assert "401" in refused.stdout + refused.stderr
    assert "wrong-word" not in refused.stdout + refused.stderr

    done = sluice(shop, "run")
    assert done.returncode == 0, done.stdout + done.stderr

    asked = sluice(shop, "query", "select count(*), count(distinct day), sum(amount) from api_orders")
    assert re.search(r"18\W+3\W+342", asked.stdout), asked.stdout + asked.stderr
