"""Other tools get an environment of their own below `.cache/`, so that none of them decides what Sluice depends on."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_CACHE = ROOT / ".cache"
_LOCKS = {
    "dlt": ROOT / "bench" / "requirements-dlt.lock",
    "spark": ROOT / "deploy" / "spark" / "requirements.lock",  # the one that Sluice's own jobs have
}


class Missing(Exception):
    """The tool cannot be measured here; the text says why."""


def python_with(tool: str) -> Path:
    """Return the interpreter that has the tool's lock file installed, and install it when it has not."""
    lock = _LOCKS[tool]
    folder = _CACHE / f"bench-{tool}"
    python, stamp = folder / "bin" / "python", folder / "installed"
    digest = hashlib.blake2b(lock.read_bytes(), digest_size=16).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return python
    print(f"Installing {tool} into {folder.relative_to(ROOT)} ...", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _run(tool, [sys.executable, "-m", "venv", str(folder)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    _run(tool, [*pip, "--requirement", str(lock)])
    stamp.write_text(digest)
    return python


def java() -> str:
    """Return Java's path, which Spark needs; raises Missing."""
    found = shutil.which("java")
    if found is None:
        raise Missing("there is no java (Spark 4 needs 17 or newer; Debian: apt-get install openjdk-17-jre-headless)")
    return found


def _run(tool: str, command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        last = done.stdout.strip().splitlines()[-1:] or ["no reason given"]
        raise Missing(f"{tool} could not be installed: {last[0]}")
