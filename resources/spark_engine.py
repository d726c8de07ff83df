"""Port: Spark, wherever it is. Each engine starts the same script with the same arguments, and waits through Pipes."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from resources.spark_place import SparkKind
from sluice.errors import SparkJobLost, SparkMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dagster as dg

    from resources.s3_place import S3Place
    from resources.settings import Settings
    from resources.spark_place import SparkPlace

    Context = dg.OpExecutionContext

_SCRIPT = Path("deploy", "spark", "transform_job.py")
_CORES = 2
_MEMORY = "2g"
_PACKAGES = ("sluice.zip", "environment.tar.gz")
_ENVIRONMENT_PYTHON = "./environment/bin/python"


class Engine(Protocol):
    def run(self, context: Context, job_key: str) -> None:
        """Run the job at a key of the store to its end; its result is in the store. Raises SparkJobLost."""


def open_engine(settings: Settings, checkout: Path) -> LocalSpark | GlueSpark | EmrServerlessSpark:
    """Return the engine of the settings; nothing is started, and nothing asked, before a job is."""
    place = settings.spark
    match place.kind:
        case SparkKind.LOCAL:
            python = Path(place.name) if place.name else checkout / ".cache" / "spark" / "bin" / "python"
            return LocalSpark(python, checkout, settings)
        case SparkKind.GLUE:
            return GlueSpark(place, _s3(settings))
        case SparkKind.EMR_SERVERLESS:
            return EmrServerlessSpark(place, _s3(settings))


@dataclass(frozen=True, slots=True)
class LocalSpark:
    """Spark as a process of this machine, on two cores. It ends when the run ends that started it."""

    python: Path
    checkout: Path
    settings: Settings

    def run(self, context: Context, job_key: str) -> None:
        from tempfile import TemporaryDirectory

        from dagster import PipesSubprocessClient
        from dagster._core.errors import DagsterPipesExecutionError

        if not self.python.exists():
            raise SparkMissing(where=str(self.python))
        self.settings.scratch.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.settings.scratch, prefix="spark-") as folder:
            client = PipesSubprocessClient(env=self._environment(folder), cwd=folder)
            try:
                with _dagsters_own_warnings():
                    client.run(context=context, command=self._command(job_key))
            except DagsterPipesExecutionError as error:
                raise SparkJobLost(where="this machine", problem=str(error)) from error

    def _command(self, job_key: str) -> list[str]:
        import os

        store = _store_arguments(self.settings.s3) if self.settings.s3 else {"--store": str(self.settings.home)}
        arguments = {**store, "--job": job_key, "--parent": str(os.getpid())}
        return [str(self.python), str(self.checkout / _SCRIPT), *_listed(arguments)]

    def _environment(self, folder: str) -> dict[str, str]:
        options = {
            "spark.driver.memory": _MEMORY,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": str(2 * _CORES),
            "spark.local.dir": folder,
        }
        submitted = " ".join(f"--conf {name}={value}" for name, value in options.items())
        return {
            "PYTHONPATH": str(self.checkout),
            "PYSPARK_PYTHON": str(self.python),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "TMPDIR": folder,
            "PYSPARK_SUBMIT_ARGS": f"--master local[{_CORES}] {submitted} pyspark-shell",
        }


@dataclass(frozen=True, slots=True)
class GlueSpark:
    """Runs of one Glue job, which has the script, the package and its size from where it was deployed."""

    place: SparkPlace
    s3: S3Place

    def run(self, context: Context, job_key: str) -> None:
        from dagster import PipesEnvContextInjector
        from dagster_aws.pipes import PipesCloudWatchMessageReader, PipesGlueClient

        client = PipesGlueClient(
            # As an argument of the run: Glue gives a job no environment.
            context_injector=PipesEnvContextInjector(),
            message_reader=PipesCloudWatchMessageReader(client=self.s3.client("logs")),
            client=self.s3.client("glue"),
        )
        params: Any = self.params(job_key)  # dagster-aws types them by stubs that are not installed
        try:
            with _dagsters_own_warnings():
                client.run(context=context, start_job_run_params=params)
        except RuntimeError as error:  # how the client tells of a run that did not succeed
            raise SparkJobLost(where=f"Glue job {self.place.name}", problem=str(error)) from error

    def params(self, job_key: str) -> dict[str, Any]:
        return {"JobName": self.place.name, "Arguments": _arguments(self.s3, job_key) | {"--context": "arguments"}}


@dataclass(frozen=True, slots=True)
class EmrServerlessSpark:
    """Jobs of one EMR Serverless application."""

    place: SparkPlace
    s3: S3Place

    def run(self, context: Context, job_key: str) -> None:
        from dagster_aws.pipes import PipesCloudWatchMessageReader, PipesEMRServerlessClient

        client = PipesEMRServerlessClient(
            client=self.s3.client("emr-serverless"),
            message_reader=PipesCloudWatchMessageReader(client=self.s3.client("logs")),
        )
        params: Any = self.params(job_key)
        try:
            with _dagsters_own_warnings():
                client.run(context=context, start_job_run_params=params)
        except RuntimeError as error:
            raise SparkJobLost(where=f"EMR Serverless {self.place.name}", problem=str(error)) from error

    def params(self, job_key: str) -> dict[str, Any]:
        package, environment = (f"{self.place.code}/{name}" for name in _PACKAGES)
        options = {
            "spark.archives": f"{environment}#environment",
            "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON": _ENVIRONMENT_PYTHON,
            "spark.emr-serverless.driverEnv.PYSPARK_PYTHON": _ENVIRONMENT_PYTHON,
            "spark.executorEnv.PYSPARK_PYTHON": _ENVIRONMENT_PYTHON,
        }
        submitted = " ".join([f"--py-files {package}", *(f"--conf {name}={value}" for name, value in options.items())])
        return {
            "applicationId": self.place.name,
            "executionRoleArn": self.place.role,
            "clientToken": uuid4().hex,
            "jobDriver": {
                "sparkSubmit": {
                    "entryPoint": f"{self.place.code}/{_SCRIPT.name}",
                    "entryPointArguments": _listed(_arguments(self.s3, job_key)),
                    "sparkSubmitParameters": submitted,
                }
            },
            "configurationOverrides": {
                "monitoringConfiguration": {"cloudWatchLoggingConfiguration": {"enabled": True}}
            },
        }


@contextmanager
def _dagsters_own_warnings() -> Iterator[None]:
    """Pipes calls methods of its own that Dagster warns of."""
    from dagster import PreviewWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PreviewWarning)
        yield


def _arguments(s3: S3Place, job_key: str) -> dict[str, str]:
    return {**_store_arguments(s3), "--job": job_key}


def _store_arguments(s3: S3Place) -> dict[str, str]:
    told = {"--region": s3.region, "--endpoint": s3.endpoint, "--kms-key": s3.kms_key}
    return {"--store": s3.url("").rstrip("/"), **{name: value for name, value in told.items() if value}}


def _listed(arguments: dict[str, str]) -> list[str]:
    return [word for pair in arguments.items() for word in pair]


def _s3(settings: Settings) -> S3Place:
    assert settings.s3 is not None  # noqa: S101  parse_spark_place refuses it
    return settings.s3
