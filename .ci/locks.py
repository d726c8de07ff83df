"""Keeps the lock files in step with pyproject.toml: `stamp` writes a digest of what was locked, `check` compares it."""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-dev.lock")
MARK = "# made by `make lock` from the dependencies in pyproject.toml; digest "


def digest_of_dependencies() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [project["requires-python"], project["dependencies"], project["optional-dependencies"]]
    return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()[:16]


def stamp() -> int:
    for lock in LOCKS:
        pins = [line for line in lock.read_text().splitlines() if not line.startswith("#")]
        lock.write_text("\n".join([MARK + digest_of_dependencies(), *pins]) + "\n")
    return 0


def check() -> int:
    stale = [lock.name for lock in LOCKS if lock.read_text().partition("\n")[0] != MARK + digest_of_dependencies()]
    for name in stale:
        print(f"{name} is older than the dependencies in pyproject.toml. Run: make lock", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit({"stamp": stamp, "check": check}[sys.argv[1]]())
