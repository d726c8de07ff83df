from __future__ import annotations

import pytest

from sluice.contract_file import read_contract
from sluice.errors import SparkJobFailed
from sluice.healing.classify import classify_error
from sluice.healing.failure import FailureClass
from sluice.manifest import RawObject, build_manifest
from sluice.spark.job import JobFailure, JobResult, SparkJob, describe_job

TEXT = """apiVersion: v3.2.0
kind: DataContract
id: events
name: events
version: 1.0.0
status: active
servers: [{server: landing, type: local, path: "events/date={date}/*.jsonl", format: jsonl}]
schema:
  - name: events
    logicalType: object
    properties: [{name: id, logicalType: integer}]
"""
CONTRACT = read_contract(TEXT, path="events/contract.yaml")
MANIFEST = build_manifest("events", "2026-11-01", (RawObject("raw/b", "2", 7), RawObject("raw/a", "1", 5)))


def job() -> SparkJob:
    return describe_job(CONTRACT, MANIFEST, "run", published="p/", quarantine="q/", result_key="r")


def test_a_job_says_all_that_a_build_needs() -> None:
    read = SparkJob.model_validate_json(job().model_dump_json())

    assert read.manifest() == MANIFEST
    assert read.declared() == CONTRACT
    assert read.declared().fingerprint == CONTRACT.fingerprint


@pytest.mark.parametrize("field", ["contract_fingerprint", "code_version"])
def test_code_of_another_version_refuses_the_job(field: str) -> None:
    with pytest.raises(SparkJobFailed, match="make spark-package") as caught:
        job().model_copy(update={field: "other"}).declared()

    assert classify_error(caught.value).failure_class is FailureClass.CODE


def test_a_failure_keeps_the_class_it_had_in_the_job() -> None:
    failure = JobFailure(failure_class=FailureClass.RESOURCE, kind="builtins.MemoryError", message="no memory")

    with pytest.raises(SparkJobFailed, match=r"builtins\.MemoryError: no memory") as caught:
        JobResult(failure=failure).require()

    assert classify_error(caught.value).failure_class is FailureClass.RESOURCE
