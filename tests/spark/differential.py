"""Builds the same objects with both engines and reads back what each of them made of every record."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq

from resources.object_store import LocalObjectStore
from sluice.contract import CODE_VERSION
from sluice.manifest import RawObject, build_manifest
from sluice.spark.job import Built, JobResult, describe_job
from sluice.transform import Transformed, transform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sluice.manifest import Manifest
    from tests.spark.kinds import Kind

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".cache" / "spark" / "bin" / "python"
JOB = ROOT / "deploy" / "spark" / "transform_job.py"
PARTITION = "2026-11-01"


@dataclass(frozen=True)
class Told:
    """What became of every record, without what may differ: the order of rows, and how they are spread over files."""

    published: Counter[str]
    quarantined: Counter[str]
    objects: tuple[Any, ...]
    reasons: Counter[tuple[str, str, str | None]]
    unknown_fields: tuple[str, ...]
    drift: Counter[str]
    types: frozenset[str]


def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": str(ROOT),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "PYSPARK_PYTHON": str(PYTHON),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1 "
        "--conf spark.sql.shuffle.partitions=2 pyspark-shell",
    }


class Engines:
    """One store with the objects of several kinds, each built by both engines; Spark does all in one session."""

    def __init__(self, home: Path, kinds: Mapping[str, Kind], partition: str = PARTITION) -> None:
        self.home = home
        self.store = LocalObjectStore(home / "store")
        self.kinds = kinds
        self.partition = partition
        self.manifests = {name: self._land(name, kind) for name, kind in kinds.items()}

    def overwrite(self, name: str) -> None:
        key = self.manifests[name].objects[0].key
        (self.home / "store" / key).write_bytes(b'{"id": 1}')

    def run_spark(self, older: str | None = None) -> None:
        """Run the job as it is packaged for AWS: nothing of the checkout beside it."""
        package = self.home / "package"
        subprocess.run([str(PYTHON), str(JOB.with_name("package.py")), str(package)], check=True)
        environ = environment(self.home) | {"PYTHONPATH": str(package / "sluice.zip")}
        keys = [self._describe(name, code="0" if name == older else CODE_VERSION) for name in self.kinds]
        script, store = str(package / JOB.name), str(self.home / "store")
        command = [str(PYTHON), script, "--store", store, *(f"--job={key}" for key in keys)]
        done = subprocess.run(command, env=environ, cwd=self.home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]

    def by_spark(self, name: str) -> Told:
        built = self.result(name).require()
        files = [self.home / "store" / item.key for item in built.files]
        quarantine = [self.home / "store" / item.key for item in built.quarantine_files]
        return _told(built, files, quarantine)

    def result(self, name: str) -> JobResult:
        return JobResult.model_validate_json((self.home / "store" / f"jobs/{name}/result.json").read_text())

    def by_duckdb(self, name: str) -> Told:
        kind, workspace = self.kinds[name], self.home / f"duckdb-{name}"
        workspace.mkdir()
        assert kind.contract.source is not None
        done = transform(
            kind.contract,
            kind.contract.source,
            self.manifests[name],
            lambda item: self.store.open(item.key, etag=item.etag),
            workspace,
            run_id="run",
        )
        return _told(done, [done.published], [done.quarantine])

    def _land(self, name: str, kind: Kind) -> Manifest:
        items = []
        for number, (file, content) in enumerate(kind.objects.items()):
            path = self.home / f"landing-{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            key = f"raw/{name}/{file}"
            self.store.put(key, path)
            items.append(RawObject(key, str(self.store.etag(key)), len(content)))
        return build_manifest(kind.contract.dataset, self.partition, tuple(items))

    def _describe(self, name: str, code: str) -> str:
        folder = f"jobs/{name}/"
        job = describe_job(
            self.kinds[name].contract,
            self.manifests[name],
            "run",
            published=f"{folder}published-",
            quarantine=f"{folder}quarantine-",
            result_key=f"{folder}result.json",
        )
        path = self.home / "job.json"
        path.write_text(job.model_copy(update={"code_version": code}).model_dump_json())
        self.store.put(f"{folder}job.json", path)
        return f"{folder}job.json"


def _told(done: Transformed | Built, published: Sequence[Path], quarantine: Sequence[Path]) -> Told:
    return Told(
        published=_rows(published),
        quarantined=_rows(quarantine),
        objects=done.objects,
        reasons=sum((Counter({(why.key, why.code, why.column): why.records}) for why in done.reasons), Counter()),
        unknown_fields=done.unknown_fields,
        drift=Counter(map(repr, done.drift)),
        types=frozenset(_types(path) for path in published if pq.read_metadata(path).num_rows),
    )


def _types(path: Path) -> str:
    """Which columns are never NULL is left out: DuckDB says so of those in which it has happened to see none."""
    return str(pq.read_schema(path)).replace(" not null", "")


def _rows(files: Sequence[Path]) -> Counter[str]:
    """Every row as JSON, which tells NULL from text and both zeros apart, and knows dates that Python does not."""
    if not files:
        return Counter()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = f"FROM read_parquet({list(map(str, files))})"
        if "reasons" in pq.read_schema(files[0]).names:  # DuckDB gives the reasons of one record in any order
            found = f"FROM (SELECT * REPLACE (list_sort(reasons) AS reasons) {found})"
        rows = connection.execute(f"SELECT to_json(t) {found} t").fetchall()
    return Counter(row for (row,) in rows)
