"""The Spark job that builds one partition: its tasks parse and write as Sluice does, Spark decides between the records.

Started by Sluice (docs/spark.md), as a Glue job, on EMR Serverless or as a process of this machine:

    transform_job.py --store FOLDER|s3://BUCKET/PREFIX --job KEY
        [--region R] [--endpoint URL] [--kms-key K] [--context arguments]
"""

from __future__ import annotations

import os
import sys
import threading
import time
from argparse import ArgumentParser
from collections import Counter
from functools import partial, reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dagster_pipes import PipesCliArgsParamsLoader, PipesEnvVarParamsLoader, PipesParamsLoader, open_dagster_pipes
from pyspark import TaskContext  # type: ignore[import-not-found]
from pyspark.sql import DataFrame, SparkSession, Window  # type: ignore[import-not-found]
from pyspark.sql import functions as f
from pyspark.sql.pandas.types import from_arrow_schema  # type: ignore[import-not-found]

from resources.failures import classify
from resources.object_store import LocalObjectStore
from resources.s3_place import S3Place, parse_s3_url
from resources.s3_store import S3ObjectStore
from sluice.datatypes import Double
from sluice.healing.failure import FailureClass
from sluice.outcome import FieldDrift, ObjectBalance, ReasonCount
from sluice.spark.files import Written
from sluice.spark.job import Built, JobFailure, JobResult, SparkJob
from sluice.spark.objects import Told
from sluice.spark.rows import Kind, column_names, row_schema
from sluice.spark.tasks import Tasks
from sluice.transform.deduplication import unique_columns

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from sluice.contract import Contract

Store = LocalObjectStore | S3ObjectStore

_LOADERS: dict[str, Callable[[], PipesParamsLoader]] = {
    "environment": PipesEnvVarParamsLoader,
    "arguments": PipesCliArgsParamsLoader,
}
_SHARE_BYTES = 64_000_000
"""Raw bytes that one task reads at least, if there are more objects than cores; an object is never cut."""
_FILE_BYTES = 256_000_000
"""Raw bytes for one published file; Parquet is about as large."""
_TOLD = "told STRING"
_PLACE = ["obj", "line_no"]


class JobError(Exception):
    """A task said why it failed."""

    def __init__(self, failure: JobFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def main(arguments: Sequence[str]) -> int:
    asked = _arguments(arguments)
    _end_with_parent(asked.parent)
    store = _store(asked)
    loader = _LOADERS[asked.context]()
    with open_dagster_pipes(params_loader=loader) as pipes:
        session = _session()
        for key in asked.job:
            with store.open(key) as opened:
                job = SparkJob.model_validate_json(opened.read())
            result = run(session, job, store)
            _put_text(store, job.result_key, result.model_dump_json(indent=1))
            pipes.log.info("%s %s: %s", job.dataset, job.partition, _told(result))
    return 0


def run(session: SparkSession, job: SparkJob, store: Store) -> JobResult:
    """Return what the job came to; an error is a result, too, so that whoever waits learns its class."""
    try:
        return JobResult(built=Build(session, job, job.declared(), store).built())
    except JobError as error:
        return JobResult(failure=error.failure)
    except Exception as error:  # noqa: BLE001  the border of the job: it is told to those who wait
        return JobResult(failure=_failure(error))


class Build:
    """One partition being built. Rows stay on the executors; what comes here is one account per object and file."""

    def __init__(self, session: SparkSession, job: SparkJob, contract: Contract, store: Store) -> None:
        self._session = session
        self._job = job
        self._contract = contract
        self._schema = row_schema(contract)
        self._columns = column_names(contract)
        self._names = dict(zip((column.name for column in contract.columns), self._columns, strict=True))
        self._tasks = Tasks(job.model_dump_json(), store, partial(_failure_of_task, _tries(session)))

    def built(self) -> Built:
        judged = self._judged().persist()
        try:
            told = self._accounts(judged)
            good = judged.where(f"kind = {Kind.GOOD.value}").drop("kind", "told", "reasons")
            superseded = self._superseded(good)
            kept = _without(good, superseded)
            not_unique = self._not_unique(kept)
            published = self._write_published(_without(kept, not_unique))
            quarantined = self._write_quarantine(judged, kept, not_unique)
            lost = _by_object(superseded), _by_object(not_unique)
            return self._account(told, *lost, published, quarantined)
        finally:
            self._session.catalog.clearCache()

    def _judged(self) -> DataFrame:
        """Every row that any object gives; see sluice.spark.rows."""
        objects = len(self._job.objects)
        shares = self._job.manifest().size_bytes // _SHARE_BYTES + 4 * self._session.sparkContext.defaultParallelism
        numbers = self._session.range(0, objects, 1, max(1, min(objects, shares)))
        return numbers.mapInArrow(self._tasks.judge, from_arrow_schema(self._schema))

    def _accounts(self, judged: DataFrame) -> list[Told]:
        rows = judged.where(f"kind = {Kind.TOLD.value}").select("told").collect()
        told = [Told.model_validate_json(row.told) for row in rows]
        for item in told:
            if item.failure is not None:
                raise JobError(item.failure)
        return sorted(told, key=lambda item: item.obj)

    def _superseded(self, good: DataFrame) -> DataFrame | None:
        """Object and line of all but the latest record of each key; None without a key."""
        names = self._contract.primary_key
        return self._losers(good, names).persist() if names else None

    def _not_unique(self, kept: DataFrame) -> DataFrame | None:
        """Object, line and numbers of the unique columns whose value a record before it holds; None without such."""
        found = [
            self._losers(kept, (name,)).withColumn("which", f.lit(number))
            for number, name in enumerate(unique_columns(self._contract))
        ]
        if not found:
            return None
        united = reduce(DataFrame.unionByName, found)
        return united.groupBy(*_PLACE).agg(f.sort_array(f.collect_list("which")).alias("which")).persist()

    def _losers(self, rows: DataFrame, names: Sequence[str]) -> DataFrame:
        """As in sluice.transform.deduplication: the order column, then object, then line; NULL is no value."""
        columns = [self._names[name] for name in names]
        order_by = self._contract.order_by
        latest = []
        if order_by:
            # 0.0 and -0.0 are equal to DuckDB; their sum with 0.0 is the same bits.
            is_double = isinstance(self._contract.column(order_by).type, Double)
            value = f.col(self._names[order_by])
            latest = [(value + f.lit(0.0) if is_double else value).desc_nulls_last()]
        ranked = Window.partitionBy(*columns).orderBy(*latest, f.col("obj").desc(), f.col("line_no").desc())
        held = rows.dropna(subset=columns).select(*_PLACE, *{*columns, *([self._names[order_by]] if order_by else [])})
        return held.withColumn("place", f.row_number().over(ranked)).where("place > 1").select(*_PLACE)

    def _write_published(self, rows: DataFrame) -> list[Written]:
        count = max(1, -(-self._job.manifest().size_bytes // _FILE_BYTES))
        sorting = [self._names[name] for name in self._contract.sort_by]
        wanted = rows.select(*self._columns, *_PLACE)
        # Never in turns: a task done again would deal other rows to other files.
        spread = wanted.repartitionByRange(count, *sorting) if sorting else wanted.repartition(count, *_PLACE)
        return self._written(spread.select(*self._columns), self._tasks.publish)

    def _write_quarantine(self, judged: DataFrame, kept: DataFrame, not_unique: DataFrame | None) -> list[Written]:
        columns = [*_PLACE, "raw", "reasons"]
        rejected = judged.where(f"kind = {Kind.BAD.value}").select(*columns)
        if not_unique is not None:
            lost = kept.join(not_unique, _PLACE)
            rejected = rejected.unionByName(lost.select(*_PLACE, "raw", self._reasons().alias("reasons")))
        records, size = rejected.agg(f.count("*"), f.sum(f.length("raw"))).first()
        if not records:
            return []
        count = max(1, -(-(size or 0) // _FILE_BYTES))
        return self._written(rejected.repartition(count, *_PLACE), self._tasks.quarantine)

    def _reasons(self) -> Any:  # noqa: ANN401  pyspark is not there when types are checked
        names = f.array(*(f.lit(name) for name in unique_columns(self._contract)))

        def reason(which: Any) -> Any:  # noqa: ANN401
            column, value = f.element_at(names, which + 1), f.element_at("texts", which + 1)
            return f.struct(f.lit("not_unique").alias("code"), column.alias("column"), value.alias("value"))

        return f.transform("which", reason)

    def _written(self, rows: DataFrame, task: Callable[..., Iterator[pa.RecordBatch]]) -> list[Written]:
        found = [Written.model_validate_json(row.told) for row in rows.mapInArrow(task, _TOLD).collect()]
        for item in found:
            if item.failure is not None:
                raise JobError(item.failure)
        return found

    def _account(
        self,
        told: Sequence[Told],
        superseded: dict[int, int],
        not_unique: dict[int, int],
        published: Sequence[Written],
        quarantined: Sequence[Written],
    ) -> Built:
        """Count each side on its own: what readers saw, what Spark took away, what the written files hold."""
        objects, kept = self._job.manifest().objects, Counter[str]()
        reasons: Counter[tuple[str, str, str | None]] = Counter()
        for item in quarantined:
            kept.update(item.by_object)
            for why in item.reasons:
                reasons[why.key, why.code, why.column] += why.records
        balances = [
            ObjectBalance(
                key=objects[item.obj].key,
                etag=objects[item.obj].etag,
                records_in=item.records_in,
                published=item.good - superseded.get(item.obj, 0) - not_unique.get(item.obj, 0),
                quarantined=kept[objects[item.obj].key],
                duplicates=superseded.get(item.obj, 0),
                unreadable=item.unreadable,
            )
            for item in told
        ]
        return Built(
            objects=tuple(balances),
            files=tuple(item.file for item in published if item.file),
            quarantine_files=tuple(item.file for item in quarantined if item.file),
            reasons=tuple(
                ReasonCount(key=key, code=code, column=column, records=records)
                for (key, code, column), records in sorted(reasons.items(), key=lambda i: (*i[0][:2], i[0][2] or ""))
            ),
            unknown_fields=tuple(sorted({name for item in told for name in item.unknown_fields})),
            drift=tuple(
                FieldDrift(key=objects[item.obj].key, kind=each.kind, field=each.field, records=each.records)
                for item in told
                for each in item.drift
            ),
        )


def _failure_of_task(tries: int, error: Exception) -> JobFailure:
    """Return what to tell; raises the error while Spark would still try the task again."""
    if TaskContext.get().attemptNumber() + 1 < tries:
        raise error
    return _failure(error)


def _failure(error: Exception) -> JobFailure:
    if (java := getattr(error, "java_exception", None)) is not None:
        name = str(java.getClass().getName())
        return JobFailure(failure_class=_class_in_java(java), kind=name, message=str(error)[:2000])
    told = classify(error)
    return JobFailure(failure_class=told.failure_class, kind=told.error_type, message=told.message[:2000])


def _class_in_java(error: Any) -> FailureClass:  # noqa: ANN401
    """What tasks raise is told by themselves; what is left is Spark's own, and mostly lost executors."""
    while error is not None:
        name = str(error.getClass().getName())
        if name == "java.lang.OutOfMemoryError":
            return FailureClass.RESOURCE
        if name.endswith("AnalysisException"):
            return FailureClass.CODE
        error = error.getCause()
    return FailureClass.TRANSIENT


def _without(rows: DataFrame, losers: DataFrame | None) -> DataFrame:
    return rows if losers is None else rows.join(losers, _PLACE, "left_anti")


def _by_object(rows: DataFrame | None) -> dict[int, int]:
    if rows is None:
        return {}
    return {row["obj"]: row["count"] for row in rows.groupBy("obj").count().collect()}


def _tries(session: SparkSession) -> int:
    if session.sparkContext.master.startswith("local"):
        return 1  # Spark tries nothing twice there
    return int(session.conf.get("spark.task.maxFailures", "4"))


def _session() -> SparkSession:
    session = (
        SparkSession.builder.appName("sluice")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "10000")
        .config("spark.sql.caseSensitive", "true")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return session


def _put_text(store: Store, key: str, text: str) -> None:
    with TemporaryDirectory(prefix="sluice-result-") as folder:
        path = Path(folder, "result.json")
        path.write_text(text, "utf-8")
        store.put(key, path)


def _told(result: JobResult) -> str:
    if result.built is None:
        return f"failed: {result.failure.message if result.failure else ''}"
    published = sum(item.published for item in result.built.objects)
    return f"{published:,} records published in {len(result.built.files)} files"


def _store(asked: Namespace) -> Store:
    if not asked.store.startswith("s3://"):
        return LocalObjectStore(Path(asked.store))
    bucket, prefix = parse_s3_url(asked.store, variable="--store")
    return S3ObjectStore(S3Place(bucket, prefix, asked.region, asked.endpoint, asked.kms_key))


def _arguments(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser()
    parser.add_argument("--store", required=True)
    parser.add_argument("--job", required=True, action="append")
    parser.add_argument("--region", default="")
    parser.add_argument("--endpoint")
    parser.add_argument("--kms-key")
    parser.add_argument("--context", choices=tuple(_LOADERS), default="environment")
    parser.add_argument("--parent", type=int)
    return parser.parse_known_args(arguments)[0]  # Glue adds arguments of its own


def _end_with_parent(parent: int | None) -> None:
    """A process of this machine must not outlive the run that started it: nobody waits for what it makes."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    if parent is not None:
        threading.Thread(target=watch, daemon=True, name="sluice-parent").start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
