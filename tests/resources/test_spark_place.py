from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from resources.s3_place import S3Place
from resources.settings import Settings
from resources.spark_engine import EmrServerlessSpark, GlueSpark, LocalSpark, open_engine
from resources.spark_place import SparkKind, SparkPlace, parse_spark_place
from sluice.errors import SettingInvalid

if TYPE_CHECKING:
    from pathlib import Path

LAKE = S3Place("lake", "shop/", "eu-central-1", kms_key="alias/lake")
ROLE = {"SLUICE_SPARK_ROLE": "arn:aws:iam::1:role/jobs", "SLUICE_SPARK_CODE": "s3://code/sluice/"}


def test_without_a_setting_spark_is_on_this_machine() -> None:
    assert parse_spark_place({}, None) == SparkPlace(SparkKind.LOCAL)


def test_another_interpreter_can_be_named(tmp_path: Path) -> None:
    place = parse_spark_place({"SLUICE_SPARK": "/opt/spark/bin/python"}, None)

    engine = open_engine(Settings(tmp_path, (), spark=place), tmp_path)

    assert isinstance(engine, LocalSpark)
    assert str(engine.python) == "/opt/spark/bin/python"


@pytest.mark.parametrize(
    ("environ", "s3", "named"),
    [
        pytest.param({"SLUICE_SPARK": "spark"}, LAKE, "SLUICE_SPARK", id="no path"),
        pytest.param({"SLUICE_SPARK": "yarn://x"}, LAKE, "SLUICE_SPARK", id="another scheduler"),
        pytest.param({"SLUICE_SPARK": "glue://"}, LAKE, "SLUICE_SPARK", id="no job"),
        pytest.param({"SLUICE_SPARK": "glue://job"}, None, "SLUICE_SPARK", id="objects on this machine"),
        pytest.param({"SLUICE_SPARK": "emr-serverless://1"}, LAKE, "SLUICE_SPARK_ROLE", id="no role"),
        pytest.param(
            {"SLUICE_SPARK": "emr-serverless://1", "SLUICE_SPARK_ROLE": "r"}, LAKE, "SLUICE_SPARK_CODE", id="no code"
        ),
    ],
)
def test_what_means_no_spark_is_refused(environ: dict[str, str], s3: S3Place | None, named: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        parse_spark_place(environ, s3)

    assert caught.value.name == named


def test_a_glue_run_is_told_store_job_and_where_its_context_is(tmp_path: Path) -> None:
    place = parse_spark_place({"SLUICE_SPARK": "glue://transform"}, LAKE)

    engine = open_engine(Settings(tmp_path, (), s3=LAKE, spark=place), tmp_path)

    assert isinstance(engine, GlueSpark)
    assert engine.params("processed/x/_spark-1.json") == {
        "JobName": "transform",
        "Arguments": {
            "--store": "s3://lake/shop",
            "--region": "eu-central-1",
            "--kms-key": "alias/lake",
            "--job": "processed/x/_spark-1.json",
            "--context": "arguments",
        },
    }


def test_an_emr_job_is_told_the_same_and_brings_its_code(tmp_path: Path) -> None:
    place = parse_spark_place({"SLUICE_SPARK": "emr-serverless://00abc"} | ROLE, LAKE)

    engine = open_engine(Settings(tmp_path, (), s3=LAKE, spark=place), tmp_path)

    assert isinstance(engine, EmrServerlessSpark)
    params = engine.params("processed/x/_spark-1.json")
    submit = params["jobDriver"]["sparkSubmit"]
    assert (params["applicationId"], params["executionRoleArn"]) == ("00abc", "arn:aws:iam::1:role/jobs")
    assert submit["entryPoint"] == "s3://code/sluice/transform_job.py"
    assert submit["entryPointArguments"][:2] == ["--store", "s3://lake/shop"]
    assert submit["entryPointArguments"][-2:] == ["--job", "processed/x/_spark-1.json"]
    assert "--py-files s3://code/sluice/sluice.zip" in submit["sparkSubmitParameters"]
    assert "spark.archives=s3://code/sluice/environment.tar.gz#environment" in submit["sparkSubmitParameters"]
