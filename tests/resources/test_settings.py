"""The environment, read once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from resources.dynamo_place import DynamoPlace
from resources.queue_place import QueuePlace
from resources.s3_place import S3Place
from resources.settings import Deployment, fetch_settings
from sluice.errors import SettingInvalid

PROJECT_DATASETS = Path(__file__).resolve().parents[2] / "pipeline_assets" / "datasets"


def test_an_empty_environment_gives_a_home_below_the_working_directory(tmp_path: Path) -> None:
    settings = fetch_settings({}, tmp_path)

    assert settings.home == tmp_path / ".sluice"
    assert settings.dataset_folders == (PROJECT_DATASETS,)
    assert settings.deployment is Deployment.LOCAL


def test_all_state_lies_in_the_home(tmp_path: Path) -> None:
    settings = fetch_settings({"SLUICE_HOME": str(tmp_path / "home")}, Path("/elsewhere"))

    assert settings.home == tmp_path / "home"
    assert settings.raw == tmp_path / "home" / "raw"
    assert settings.catalog_database == tmp_path / "home" / "catalog.db"
    assert settings.tables == tmp_path / "home" / "tables"
    assert settings.ledger_url == f"sqlite:///{tmp_path}/home/ledger.db"
    assert settings.dagster_home == tmp_path / "home" / "dagster"
    assert settings.scratch == tmp_path / "home" / "scratch"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("state", "state", id="relative"),
        pytest.param("a/../state", "state", id="with dots"),
        pytest.param("", ".sluice", id="empty is unset"),
    ],
)
def test_a_relative_home_is_below_the_working_directory(tmp_path: Path, value: str, expected: str) -> None:
    assert fetch_settings({"SLUICE_HOME": value}, tmp_path).home == tmp_path / expected


def test_a_tilde_is_the_users_folder(tmp_path: Path) -> None:
    assert fetch_settings({"SLUICE_HOME": "~/state"}, tmp_path).home == Path("~/state").expanduser()


def test_further_dataset_folders_come_after_the_projects_own_each_once(tmp_path: Path) -> None:
    environ = {"SLUICE_DATASETS": f"{tmp_path}/one::two:{tmp_path}/one:{PROJECT_DATASETS}"}

    settings = fetch_settings(environ, tmp_path)

    assert settings.dataset_folders == (PROJECT_DATASETS, tmp_path / "one", tmp_path / "two")


def test_a_sandbox_has_none_of_the_projects_datasets(tmp_path: Path) -> None:
    environ = {"SLUICE_PROJECT_DATASETS": "own", "SLUICE_DATASETS": "own:further"}

    assert fetch_settings(environ, tmp_path).dataset_folders == (tmp_path / "own", tmp_path / "further")


@pytest.mark.parametrize(
    ("written", "cron"),
    [
        pytest.param("", "15 3 * * *", id="unset"),
        pytest.param("0 */6 * * mon-fri", "0 */6 * * mon-fri", id="cron"),
        pytest.param("off", None, id="off"),
    ],
)
def test_maintenance_has_a_schedule(tmp_path: Path, written: str, cron: str | None) -> None:
    assert fetch_settings({"SLUICE_MAINTENANCE": written}, tmp_path).maintenance_cron == cron


def test_a_schedule_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=r'^SLUICE_MAINTENANCE="daily" is no schedule\. Write five fields'):
        fetch_settings({"SLUICE_MAINTENANCE": "daily"}, tmp_path)


def test_an_unknown_deployment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=r'^SLUICE_ENV="locl" is no deployment\. Did you mean "local"\?$'):
        fetch_settings({"SLUICE_ENV": "locl"}, tmp_path)


@pytest.mark.parametrize("name", ["SLUICE_HOME", "SLUICE_DATASETS", "SLUICE_PROJECT_DATASETS"])
def test_a_file_is_no_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingInvalid, match=f'^{name}="file" is not a folder'):
        fetch_settings({name: "file"}, tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg2://ann:secret@host:5432/ledger",
        "postgresql://ann:secret@host/ledger",
        "sqlite:////state/ledger.db",
    ],
)
def test_a_ledger_may_be_elsewhere_and_its_url_is_not_shown(tmp_path: Path, url: str) -> None:
    settings = fetch_settings({"SLUICE_LEDGER_URL": url}, tmp_path)

    assert settings.ledger_url == url
    assert url not in repr(settings)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("mysql://ann:secret@host/ledger", "mysql://...", id="another database"),
        pytest.param("sqlite:///ledger.db", "sqlite://...", id="relative"),
        pytest.param("ann:secret@host", "...", id="no scheme"),
    ],
)
def test_any_other_ledger_is_refused_without_its_password(tmp_path: Path, url: str, shown: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        fetch_settings({"SLUICE_LEDGER_URL": url}, tmp_path)

    assert str(caught.value).startswith(f'SLUICE_LEDGER_URL="{shown}" is no ledger\'s URL. Name postgresql')
    assert "secret" not in str(caught.value)


class TestAws:
    ENVIRON = {"SLUICE_ENV": "aws", "SLUICE_STORE": "s3://lake/prod/", "AWS_REGION": "eu-central-1"}  # noqa: RUF012

    def test_objects_are_in_s3_and_state_in_the_home(self, tmp_path: Path) -> None:
        settings = fetch_settings(self.ENVIRON, tmp_path)

        assert settings.s3 == S3Place("lake", "prod/", "eu-central-1")
        assert settings.landing_place == "s3://lake/prod/raw"
        assert settings.ledger_url == f"sqlite:///{tmp_path}/.sluice/ledger.db"

    def test_sluice_has_a_region_of_its_own(self, tmp_path: Path) -> None:
        settings = fetch_settings({**self.ENVIRON, "SLUICE_AWS_REGION": "eu-west-1"}, tmp_path)

        assert settings.s3 == S3Place("lake", "prod/", "eu-west-1")

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            pytest.param({"SLUICE_STORE": ""}, "^SLUICE_STORE is not set", id="no store"),
            pytest.param({"SLUICE_STORE": "s3://"}, "is no place in S3", id="no bucket"),
            pytest.param({"SLUICE_STORE": "s3://lake/a//b"}, "is no place in S3", id="empty part"),
            pytest.param({"SLUICE_STORE": "gs://lake"}, "is no place in S3", id="another cloud"),
            pytest.param({"SLUICE_ENV": "local"}, "SLUICE_ENV is local", id="local"),
            pytest.param({"AWS_REGION": ""}, "region of the bucket lake", id="no region"),
            pytest.param({"SLUICE_AWS_ENDPOINT": "127.0.0.1:1"}, "is no URL", id="endpoint"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, tmp_path: Path, changed: dict[str, str], says: str) -> None:
        with pytest.raises(SettingInvalid, match=says):
            fetch_settings({**self.ENVIRON, **changed}, tmp_path)


IN_AWS = {"SLUICE_ENV": "aws", "SLUICE_STORE": "s3://lake", "AWS_REGION": "eu-central-1"}
QUEUE, DEAD = "https://sqs.eu-central-1.amazonaws.com/1/in", "https://sqs.eu-central-1.amazonaws.com/1/dead"


def test_a_queue_is_read_with_its_dead_letters(tmp_path: Path) -> None:
    told = {"SLUICE_QUEUE": QUEUE, "SLUICE_DEAD_LETTERS": DEAD}

    assert fetch_settings({**IN_AWS, **told}, tmp_path).queue == QueuePlace(QUEUE, DEAD, timedelta(minutes=15))
    assert fetch_settings({**IN_AWS, **told, "SLUICE_LISTING_MINUTES": "60"}, tmp_path).queue == QueuePlace(
        QUEUE, DEAD, timedelta(hours=1)
    )
    assert fetch_settings(IN_AWS, tmp_path).queue is None


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        pytest.param({"SLUICE_DEAD_LETTERS": ""}, "names no queue of its own", id="no dead letters"),
        pytest.param({"SLUICE_DEAD_LETTERS": QUEUE}, "names no queue of its own", id="the same queue"),
        pytest.param({"SLUICE_QUEUE": "in"}, "no URL of a standard queue", id="no URL"),
        pytest.param({"SLUICE_QUEUE": f"{QUEUE}.fifo"}, "no URL of a standard queue", id="fifo"),
        pytest.param({"SLUICE_LISTING_MINUTES": "0"}, "no number of minutes", id="no minutes"),
        pytest.param({"SLUICE_LISTING_MINUTES": "1441"}, "no number of minutes", id="more than a day"),
        pytest.param({"SLUICE_ENV": "local", "SLUICE_STORE": ""}, "SLUICE_ENV is local", id="local"),
    ],
)
def test_a_queue_that_cannot_be_used_is_refused(tmp_path: Path, changed: dict[str, str], says: str) -> None:
    with pytest.raises(SettingInvalid, match=says):
        fetch_settings({**IN_AWS, "SLUICE_QUEUE": QUEUE, "SLUICE_DEAD_LETTERS": DEAD, **changed}, tmp_path)


class TestGlue:
    ENVIRON = {**TestAws.ENVIRON, "SLUICE_GLUE_DATABASE": "lake_prod"}  # noqa: RUF012

    def test_a_database_says_that_the_tables_are_in_glue(self, tmp_path: Path) -> None:
        glue = fetch_settings(self.ENVIRON, tmp_path).glue

        assert glue is not None
        assert (glue.database, glue.workgroup, glue.warehouse) == ("lake_prod", "sluice", "s3://lake/prod/tables")

    def test_without_one_the_tables_are_here(self, tmp_path: Path) -> None:
        assert fetch_settings(TestAws.ENVIRON, tmp_path).glue is None

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            pytest.param({"SLUICE_ENV": "local", "SLUICE_STORE": ""}, "says Glue, but SLUICE_ENV is local", id="local"),
            pytest.param({"SLUICE_GLUE_DATABASE": "Lake-Prod"}, "is no name that Athena can read", id="database"),
            pytest.param({"SLUICE_ATHENA_WORKGROUP": "a b"}, "is no name of a workgroup", id="workgroup"),
        ],
    )
    def test_what_cannot_be_is_refused(self, tmp_path: Path, changed: dict[str, str], says: str) -> None:
        with pytest.raises(SettingInvalid, match=says):
            fetch_settings({**self.ENVIRON, **changed}, tmp_path)


def test_a_ledger_may_be_a_table_in_dynamodb(tmp_path: Path) -> None:
    settings = fetch_settings({**IN_AWS, "SLUICE_LEDGER_URL": "dynamodb://sluice-ledger"}, tmp_path)

    assert settings.dynamo == DynamoPlace(S3Place("lake", "", "eu-central-1"), "sluice-ledger")


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        pytest.param({}, "but SLUICE_ENV is local", id="not in AWS"),
        pytest.param({"SLUICE_LEDGER_URL": "dynamodb://key:secret@host"}, "names no table", id="no name"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingInvalid, match=says) as caught:
        fetch_settings({"SLUICE_LEDGER_URL": "dynamodb://sluice-ledger", **environ}, tmp_path)

    assert "secret" not in str(caught.value)
