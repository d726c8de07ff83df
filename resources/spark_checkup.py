"""Looks at the Spark that contracts ask for: is it there, can it be started. No job is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.aws_errors import explain_credentials, tell_refusals
from resources.spark_engine import EmrServerlessSpark, GlueSpark, LocalSpark, open_engine
from resources.spark_place import SparkKind
from sluice.checked import Checked, broken, good
from sluice.errors import SluiceError

if TYPE_CHECKING:
    from resources.s3_place import S3Place
    from resources.settings import Settings
    from resources.spark_place import SparkPlace

_WHAT = "Spark"
_LONGEST_SECONDS = 60
_JAVA = "Install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless), or set JAVA_HOME."


def check_spark(settings: Settings, checkout: Path) -> Checked:
    match open_engine(settings, checkout):
        case LocalSpark(python=python):
            return _check_here(python)
        case GlueSpark(place=place, s3=s3) | EmrServerlessSpark(place=place, s3=s3):
            return _check_in_aws(place, s3)


def _check_here(python: Path) -> Checked:
    version = _says(python, "-c", "import pyspark; print(pyspark.__version__)")
    if version is None:
        cure = "Install it by `make spark`, or name another Python in SLUICE_SPARK (docs/spark.md)."
        return broken(_WHAT, f"there is no pyspark at {python}", cure)
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None or _says(java, "-version") is None:
        return broken(_WHAT, f"pyspark {version} is there, but no Java", _JAVA)
    return good(_WHAT, f"pyspark {version} at {python}")


def _says(*command: str | Path) -> str | None:
    """Return what a command says, None when it cannot be run or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=True)  # noqa: S603  ours alone
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _check_in_aws(place: SparkPlace, s3: S3Place) -> Checked:
    try:
        with explain_credentials():
            is_there = _is_there(place, s3)
    except SluiceError as error:
        return broken(_WHAT, error.message, error.cure)
    if is_there:
        return good(_WHAT, _name(place))
    return broken(_WHAT, f"there is no {_name(place)}", "Create it as docs/spark.md shows, or correct SLUICE_SPARK.")


def _is_there(place: SparkPlace, s3: S3Place) -> bool:
    client: Any = s3.client(place.kind.value)  # the services have the names of the kinds
    tell_refusals(client, _name(place))
    is_glue = place.kind is SparkKind.GLUE
    missing = client.exceptions.EntityNotFoundException if is_glue else client.exceptions.ResourceNotFoundException
    try:
        if is_glue:
            client.get_job(JobName=place.name)
        else:
            client.get_application(applicationId=place.name)
    except missing:
        return False
    return True


def _name(place: SparkPlace) -> str:
    return f"{place.kind}://{place.name}"
