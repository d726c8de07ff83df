"""One partition through Spark: the job is written into the store, run, and its result read from there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import ValidationError

from pipeline_assets.asset_specs import Zone
from pipeline_assets.staged_folder import folder_of
from sluice.errors import SparkJobLost
from sluice.spark.job import JobResult, describe_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline_assets.ports import Store
    from pipeline_assets.staged_folder import Place
    from sluice.contract import Contract
    from sluice.manifest import Manifest
    from sluice.spark.job import Built


def run_on_spark(
    contract: Contract,
    manifest: Manifest,
    place: Place,
    store: Store,
    workspace: Path,
    run_id: str,
    run: Callable[[str], None],
) -> Built:
    """Return what the job built; raises SparkJobFailed with its reason, SparkJobLost when it left no word.

    Every try has names of its own, so that what a lost one still writes is never taken for another's.
    """
    attempt = uuid4().hex[:8]
    folder = folder_of(Zone.PROCESSED, *place)
    job = describe_job(
        contract,
        manifest,
        run_id,
        published=f"{folder}part-{attempt}-",
        quarantine=f"{folder_of(Zone.QUARANTINE, *place)}part-{attempt}-",
        result_key=f"{folder}_spark-{attempt}-result.json",
    )
    key, written = f"{folder}_spark-{attempt}.json", workspace / "spark-job.json"
    written.write_text(job.model_dump_json(indent=1), "utf-8")
    store.put(key, written)
    run(key)
    return _fetch_result(store, job.result_key).require()


def _fetch_result(store: Store, key: str) -> JobResult:
    try:
        with store.open(key) as opened:
            return JobResult.model_validate_json(opened.read())
    except FileNotFoundError as error:
        raise SparkJobLost(where="Spark", problem=f"{key} was never written") from error
    except ValidationError as error:
        raise SparkJobLost(where="Spark", problem=f"{key} cannot be read as a result") from error
