"""Where Sluice keeps its state and finds its contracts; read once from the environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from resources.dynamo_place import SCHEME, DynamoPlace, parse_dynamo_place
from resources.glue_place import GluePlace, parse_glue_place
from resources.queue_place import QueuePlace, queue_place
from resources.s3_place import S3Place, parse_s3_url
from resources.spark_place import SparkPlace, parse_spark_place
from resources.telemetry_settings import QUIETLY, TelemetrySettings, telemetry_settings
from sluice.errors import SettingInvalid, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_HOME = ".sluice"

DAILY = "15 3 * * *"
"""When maintenance runs by itself, in UTC."""

_CRON_FIELD = re.compile(r"[\d*/,\-]+|[A-Za-z,\-]+")

_PROJECT_DATASETS = Path(__file__).resolve().parents[1] / "pipeline_assets" / "datasets"


_THIS_MACHINE = SparkPlace()


class Deployment(StrEnum):
    """Which implementations of the ports are used."""

    LOCAL = "local"  # folders, SQLite, DuckDB
    AWS = "aws"  # objects in S3; tables in Glue and the ledger in DynamoDB if the settings name them


@dataclass(frozen=True, slots=True)
class Settings:
    """`home` holds all state: the object store's zones, the catalog, the ledger. Paths are absolute.

    `s3` is where the objects are if they are not below `home`; `glue` says which tables of AWS's catalog are ours.
    `ledger_database` is the URL of a ledger elsewhere; it may have a password and is not shown. A ledger in DynamoDB is
    in the table `dynamo`.
    """

    home: Path
    dataset_folders: tuple[Path, ...]
    deployment: Deployment = Deployment.LOCAL
    price_book: Path | None = None  # None is the one that comes with Sluice
    ledger_database: str | None = field(default=None, repr=False)
    s3: S3Place | None = None
    glue: GluePlace | None = None
    dynamo: DynamoPlace | None = None
    maintenance_cron: str | None = DAILY  # None: only when somebody asks for it
    queue: QueuePlace | None = None  # None: a listing finds what arrives
    telemetry: TelemetrySettings = QUIETLY
    spark: SparkPlace = _THIS_MACHINE

    @property
    def raw(self) -> Path:
        return self.home / "raw"

    @property
    def landing_place(self) -> str:
        """Where files land, for people."""
        return self.s3.url("raw") if self.s3 else str(self.raw)

    @property
    def catalog_database(self) -> Path:
        return self.home / "catalog.db"

    @property
    def tables(self) -> Path:
        return self.home / "tables"

    @property
    def ledger_url(self) -> str:
        return self.ledger_database or f"sqlite:///{self.home / 'ledger.db'}"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def proposals(self) -> Path:
        return self.home / "proposals"

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"


def fetch_settings(environ: Mapping[str, str], working_directory: Path) -> Settings:
    """Read the variables SLUICE_...: HOME, DATASETS (folders of dataset folders), PRICES, LEDGER_URL, MAINTENANCE, ENV.

    SLUICE_LOGS and SLUICE_METRICS say how logs and metrics are written.
    SLUICE_SPARK is where large partitions are built.

    With SLUICE_ENV=aws also SLUICE_STORE, SLUICE_AWS_REGION (else AWS_REGION, AWS_DEFAULT_REGION), SLUICE_KMS_KEY,
    SLUICE_AWS_ENDPOINT, SLUICE_QUEUE, SLUICE_DEAD_LETTERS, SLUICE_LISTING_MINUTES, SLUICE_GLUE_DATABASE and
    SLUICE_ATHENA_WORKGROUP.

    An empty value counts as unset. The datasets of this project always come first; a sandbox, which must not touch
    them, has a folder in their place (SLUICE_PROJECT_DATASETS). Raises SettingInvalid.
    """
    home = working_directory / Path(environ.get("SLUICE_HOME") or DEFAULT_HOME).expanduser()
    if home.exists() and not home.is_dir():
        raise SettingInvalid(
            name="SLUICE_HOME", value=environ["SLUICE_HOME"], problem="is not a folder", cure="Name a folder."
        )
    further = [
        _dataset_folder(working_directory, name)
        for name in environ.get("SLUICE_DATASETS", "").split(os.pathsep)
        if name
    ]
    in_place = environ.get("SLUICE_PROJECT_DATASETS")
    project = _dataset_folder(working_directory, in_place, "SLUICE_PROJECT_DATASETS") if in_place else _PROJECT_DATASETS
    folders = dict.fromkeys([project, *further])  # each once, in order
    deployment = _deployment(environ.get("SLUICE_ENV") or "local")
    s3 = _s3_place(environ, deployment)
    return Settings(
        Path(os.path.abspath(home)),  # noqa: PTH100  a link stays the name people gave
        tuple(folders),
        deployment,
        ledger_database=_ledger_database(environ.get("SLUICE_LEDGER_URL", "")),
        price_book=_price_book(working_directory, environ.get("SLUICE_PRICES", "")),
        queue=queue_place(environ, in_aws=deployment is Deployment.AWS),
        s3=s3,
        glue=parse_glue_place(environ, s3),
        dynamo=parse_dynamo_place(environ.get("SLUICE_LEDGER_URL", ""), s3),
        spark=parse_spark_place(environ, s3),
        maintenance_cron=_cron(environ.get("SLUICE_MAINTENANCE") or DAILY),
        telemetry=telemetry_settings(environ),
    )


def s3_place_at(environ: Mapping[str, str], url: str, variable: str) -> S3Place:
    """Return the place of a URL, in the region of the environment; raises SettingInvalid."""
    bucket, prefix = parse_s3_url(url, variable=variable)
    names = ("SLUICE_AWS_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
    region = next((environ[name] for name in names if environ.get(name)), None)
    if region is None:
        raise SettingInvalid(
            name=names[0], value="", problem="is not set", cure=f"Set it to the region of the bucket {bucket}."
        )
    endpoint, key = environ.get("SLUICE_AWS_ENDPOINT") or None, environ.get("SLUICE_KMS_KEY") or None
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise SettingInvalid(
            name="SLUICE_AWS_ENDPOINT", value=endpoint, problem="is no URL", cure="Leave it unset to use AWS itself."
        )
    return S3Place(bucket, prefix, region, endpoint, key)


def _s3_place(environ: Mapping[str, str], deployment: Deployment) -> S3Place | None:
    url = environ.get("SLUICE_STORE", "")
    match deployment:
        case Deployment.AWS if url:
            return s3_place_at(environ, url, "SLUICE_STORE")
        case Deployment.AWS:
            raise SettingInvalid(
                name="SLUICE_STORE", value="", problem="is not set", cure="Set it to s3://BUCKET or s3://BUCKET/PREFIX."
            )
        case Deployment.LOCAL if url:
            raise SettingInvalid(
                name="SLUICE_STORE", value=url, problem="says S3, but SLUICE_ENV is local", cure="Set SLUICE_ENV=aws."
            )
        case Deployment.LOCAL:
            return None


def _dataset_folder(working_directory: Path, name: str, variable: str = "SLUICE_DATASETS") -> Path:
    folder = (working_directory / Path(name).expanduser()).resolve()
    if folder.exists() and not folder.is_dir():
        raise SettingInvalid(
            name=variable,
            value=name,
            problem="is not a folder",
            cure=f"Name folders that hold dataset folders, joined by {os.pathsep}",
        )
    return folder


def _price_book(working_directory: Path, name: str) -> Path | None:
    if not name:
        return None
    path = (working_directory / Path(name).expanduser()).resolve()
    if not path.is_file():
        raise SettingInvalid(
            name="SLUICE_PRICES",
            value=name,
            problem="is not a file",
            cure="Name a price book, such as a changed copy of deploy/prices/aws.yaml.",
        )
    return path


def _cron(text: str) -> str | None:
    fields = text.split()
    if text == "off":
        return None
    if len(fields) == len(DAILY.split()) and all(_CRON_FIELD.fullmatch(item) for item in fields):
        return text
    raise SettingInvalid(
        name="SLUICE_MAINTENANCE",
        value=text,
        problem="is no schedule",
        cure=f'Write five fields of cron, in UTC, such as "{DAILY}", or off.',
    )


def _deployment(name: str) -> Deployment:
    try:
        return Deployment(name)
    except ValueError as error:
        raise SettingInvalid(
            name="SLUICE_ENV", value=name, problem="is no deployment", cure=did_you_mean(name, Deployment)
        ) from error


def _ledger_database(url: str) -> str | None:
    """Return the URL, whose password no message shows; a relative file would be another one for each process."""
    if url.startswith(SCHEME):
        return None
    if not url or url.startswith(("postgresql://", "postgresql+psycopg2://", "sqlite:////")):
        return url or None
    scheme, separator, _ = url.partition("://")
    raise SettingInvalid(
        name="SLUICE_LEDGER_URL",
        value=f"{scheme}{separator}..." if separator else "...",
        problem="is no ledger's URL",
        cure="Name postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE, sqlite:////FOLDER/FILE or dynamodb://TABLE.",
    )
