"""What a Spark job is told and what it reports: two small JSON objects in the store, beside the files it stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from sluice.contract import CODE_VERSION
from sluice.contract_file import read_contract
from sluice.errors import SparkJobFailed
from sluice.healing.failure import FailureClass
from sluice.manifest import RawObject, build_manifest
from sluice.outcome import FieldDrift, ObjectBalance, ReasonCount, StagedFile

if TYPE_CHECKING:
    from sluice.contract import Contract
    from sluice.manifest import Manifest


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JobObject(_Frozen):
    key: str
    etag: str
    size: int


class SparkJob(_Frozen):
    """One partition to build. `contract` is the text of its file; the prefixes are where staged files go."""

    contract: str
    contract_path: str
    contract_fingerprint: str
    code_version: str
    dataset: str
    partition: str
    run_id: str
    objects: tuple[JobObject, ...]
    published_prefix: str
    quarantine_prefix: str
    result_key: str

    def manifest(self) -> Manifest:
        items = tuple(RawObject(item.key, item.etag, item.size) for item in self.objects)
        return build_manifest(self.dataset, self.partition, items)

    def declared(self) -> Contract:
        """Return the contract; raises SparkJobFailed where this code is not the code that asked.

        The job's code is copied to Spark by itself, so it may be older: its rows would then bear a false version.
        """
        contract = read_contract(self.contract, path=self.contract_path)
        asked, mine = (self.contract_fingerprint, self.code_version), (contract.fingerprint, CODE_VERSION)
        if asked != mine:
            raise SparkJobFailed(
                problem=f"the job's code reads the contract as {'-'.join(mine)}, and {'-'.join(asked)} was asked for",
                failure_class=FailureClass.CODE,
                cure="Give Spark the package of the same version of Sluice (make spark-package; docs/spark.md).",
            )
        return contract


def describe_job(
    contract: Contract, manifest: Manifest, run_id: str, *, published: str, quarantine: str, result_key: str
) -> SparkJob:
    return SparkJob(
        contract=contract.text,
        contract_path=contract.path,
        contract_fingerprint=contract.fingerprint,
        code_version=CODE_VERSION,
        dataset=contract.dataset,
        partition=manifest.partition,
        run_id=run_id,
        objects=tuple(JobObject(key=item.key, etag=item.etag, size=item.size) for item in manifest.objects),
        published_prefix=published,
        quarantine_prefix=quarantine,
        result_key=result_key,
    )


class JobFailure(_Frozen):
    """An error of the job, classified where its type was still known."""

    failure_class: FailureClass
    kind: str
    message: str


class Built(_Frozen):
    """Where every record went, and the staged files."""

    objects: tuple[ObjectBalance, ...]
    files: tuple[StagedFile, ...]
    quarantine_files: tuple[StagedFile, ...]
    reasons: tuple[ReasonCount, ...]
    unknown_fields: tuple[str, ...]
    drift: tuple[FieldDrift, ...]


class JobResult(_Frozen):
    """Exactly one of the two."""

    built: Built | None = None
    failure: JobFailure | None = None

    def require(self) -> Built:
        """Return what was built; raises SparkJobFailed."""
        if self.built is not None:
            return self.built
        failure = self.failure or JobFailure(failure_class=FailureClass.UNKNOWN, kind="", message="no reason given")
        raise SparkJobFailed(
            problem=f"{failure.kind}: {failure.message}",
            failure_class=failure.failure_class,
            cure="The run's own log has all that Spark said; run the partition again when the cause is gone.",
        )
