"""Writes what a Spark job on AWS needs into a folder: the script, Sluice as a zip, the list of packages."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("sluice", "resources")
_BROUGHT = ("pyspark", "py4j", "boto3", "botocore", "s3transfer", "jmespath")
"""Glue and EMR have these in versions that fit each other."""


def package(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    here = Path(__file__).parent
    shutil.copy(here / "transform_job.py", target)
    with ZipFile(target / "sluice.zip", "w", ZIP_DEFLATED) as archive:
        for path in sorted(item for room in ROOMS for item in (ROOT / room).rglob("*") if _is_code(item)):
            archive.write(path, path.relative_to(ROOT))
    lock = (here / "requirements.lock").read_text("utf-8")
    (target / "requirements.txt").write_text("\n".join(_pins(lock)) + "\n", "utf-8")


def _is_code(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _pins(lock: str) -> list[str]:
    """The versions without their hashes: the wheels of another system have other ones."""
    lines = [line.removesuffix("\\").strip() for line in lock.splitlines() if "==" in line]
    return [line for line in lines if line.partition("==")[0] not in _BROUGHT]


if __name__ == "__main__":
    package(Path(sys.argv[1]))
