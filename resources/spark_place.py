"""Where Spark jobs run: as a process of this machine, as runs of a Glue job, or on EMR Serverless."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resources.s3_place import S3Place

_CURE = "Write glue://JOB, emr-serverless://APPLICATION, or the path of a Python with pyspark; or unset it."


class SparkKind(StrEnum):
    LOCAL = "local"
    GLUE = "glue"
    EMR_SERVERLESS = "emr-serverless"


@dataclass(frozen=True, slots=True)
class SparkPlace:
    """`name` is the Glue job or the application's id; for `LOCAL` the interpreter, empty for that of `make spark`.

    EMR Serverless also needs the `role` that jobs have, and where in S3 the `code` is (make spark-package).
    """

    kind: SparkKind = SparkKind.LOCAL
    name: str = ""
    role: str = ""
    code: str = ""


def parse_spark_place(environ: Mapping[str, str], s3: S3Place | None) -> SparkPlace:
    """Read SLUICE_SPARK, SLUICE_SPARK_ROLE and SLUICE_SPARK_CODE; raises SettingInvalid."""
    written = environ.get("SLUICE_SPARK", "")
    if not written:
        return SparkPlace()
    scheme, separator, name = written.partition("://")
    if not separator:
        return _local(written)
    if scheme not in {SparkKind.GLUE, SparkKind.EMR_SERVERLESS} or not name:
        raise SettingInvalid(name="SLUICE_SPARK", value=written, problem="names no Spark", cure=_CURE)
    if s3 is None:
        raise SettingInvalid(
            name="SLUICE_SPARK",
            value=written,
            problem="is in AWS, but the objects are on this machine",
            cure="Set SLUICE_ENV=aws and SLUICE_STORE, or leave SLUICE_SPARK unset.",
        )
    if scheme == SparkKind.GLUE:
        return SparkPlace(SparkKind.GLUE, name)
    role, code = (_needed(environ, variable) for variable in ("SLUICE_SPARK_ROLE", "SLUICE_SPARK_CODE"))
    return SparkPlace(SparkKind.EMR_SERVERLESS, name, role, code.rstrip("/"))


def _local(written: str) -> SparkPlace:
    if not Path(written).is_absolute():
        raise SettingInvalid(name="SLUICE_SPARK", value=written, problem="names no Spark", cure=_CURE)
    return SparkPlace(SparkKind.LOCAL, written)


def _needed(environ: Mapping[str, str], variable: str) -> str:
    if not environ.get(variable):
        cure = "Set it: EMR Serverless asks for a role and for the code with every job (docs/spark.md)."
        raise SettingInvalid(name=variable, value="", problem="is not set", cure=cure)
    return environ[variable]
