"""A variable may refer to a value that AWS keeps; without a reference nothing is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from pipeline_assets.cli.app import app
from resources.failures import classify
from resources.http_source import HttpSource
from resources.reference import Keeper, Reference, keeper_place, parse_reference
from resources.settings import fetch_settings
from resources.variables import Variables
from sluice.errors import (
    CredentialsInvalid,
    ReferenceForbidden,
    ReferenceUnavailable,
    ReferenceUnknown,
    SettingInvalid,
    SluiceError,
)
from sluice.healing.failure import FailureClass

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws_server import AwsServer

SECRET = "hunter2-hunter2"
aws_tests = [pytest.mark.aws, pytest.mark.xdist_group("aws")]


def test_plain_values_need_neither_aws_nor_its_library() -> None:
    code = (
        "import sys; from resources.variables import Variables;"
        "v = Variables({'SLUICE_HOME': '/x', 'SLUICE_NOTIFY_OPS': 'json://h/p', 'URL': 's3://ssm/x'});"
        "print(dict(v) == {'SLUICE_HOME': '/x', 'SLUICE_NOTIFY_OPS': 'json://h/p', 'URL': 's3://ssm/x'},"
        " 'boto3' in sys.modules, v.get('NONE'), 'NONE' in v, len(v), dict(v.references))"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "True False None False 3 {}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("secretsmanager:db", Reference(Keeper.SECRETS_MANAGER, "db"), id="secret"),
        pytest.param("secretsmanager:a/b#url", Reference(Keeper.SECRETS_MANAGER, "a/b", "url"), id="key"),
        pytest.param("ssm:/a/b", Reference(Keeper.PARAMETER_STORE, "/a/b"), id="parameter"),
        pytest.param("ssmx:/a/b", None, id="another scheme"),
        pytest.param("plain", None, id="plain"),
        pytest.param("", None, id="empty"),
    ],
)
def test_a_reference_is_read(value: str, expected: Reference | None) -> None:
    assert parse_reference("SLUICE_LEDGER_URL", value) == expected


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        pytest.param("SLUICE_LEDGER_URL", "ssm:", "names no secret", id="no name"),
        pytest.param("SLUICE_LEDGER_URL", "secretsmanager:#url", "names no secret", id="only a key"),
        pytest.param("SLUICE_AWS_REGION", "ssm:/region", "is itself needed", id="region"),
        pytest.param("SLUICE_AWS_ENDPOINT", "ssm:/endpoint", "is itself needed", id="endpoint"),
    ],
)
def test_what_is_no_reference_is_refused(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingInvalid, match=says):
        parse_reference(name, value)


@pytest.mark.parametrize("path", ["secretsmanager:/x/", "ssm:x/", "/x/"])
def test_settings_below_no_path_are_refused(path: str) -> None:
    with pytest.raises(SettingInvalid, match=r"Write ssm:/PATH/"):
        Variables({"SLUICE_SETTINGS": path}).get("SLUICE_HOME")


def test_an_arn_says_its_region() -> None:
    environ = {"SLUICE_AWS_REGION": "eu-central-1"}

    assert keeper_place(environ, "arn:aws:secretsmanager:us-west-2:1:secret:db-AbCdEf").region == "us-west-2"
    assert keeper_place(environ, "db").region == "eu-central-1"


def test_without_a_region_nobody_can_be_asked() -> None:
    with pytest.raises(SettingInvalid, match="SLUICE_AWS_REGION"):
        Variables({"SLUICE_LEDGER_URL": "ssm:/x"})["SLUICE_LEDGER_URL"]


class TestWithAws:
    pytestmark = aws_tests

    @pytest.fixture
    def environ(self, aws: AwsServer) -> dict[str, str]:
        """Return variables that refer to secrets which are there."""
        name = f"/sluice/{uuid4().hex}"
        values = json.dumps({"url": f"postgresql://sluice:{SECRET}@db/ledger", "port": 5432, "deep": {"a": 1}})
        aws.client("secretsmanager").create_secret(Name=name, SecretString=values)
        aws.client("ssm").put_parameter(Name=name, Value=SECRET, Type="SecureString")
        return {
            "SLUICE_AWS_REGION": "eu-central-1",
            "SLUICE_AWS_ENDPOINT": aws.endpoint,
            "SLUICE_LEDGER_URL": f"secretsmanager:{name}#url",
            "SHOP_TOKEN": f"ssm:{name}",
            "WHOLE": f"secretsmanager:{name}",
            "PORT": f"secretsmanager:{name}#port",
            "NO_KEY": f"secretsmanager:{name}#nope",
            "NO_TEXT": f"secretsmanager:{name}#deep",
            "NO_SECRET": f"secretsmanager:{name}-nope",
            "NO_PARAMETER": f"ssm:{name}-nope",
        }

    def test_settings_get_the_value_and_the_environment_keeps_the_reference(
        self, environ: dict[str, str], tmp_path: Path
    ) -> None:
        variables = Variables(environ)
        before = dict(environ)

        settings = fetch_settings(variables, tmp_path)

        assert settings.ledger_database == f"postgresql://sluice:{SECRET}@db/ledger"
        assert (variables["SHOP_TOKEN"], variables["PORT"], json.loads(variables["WHOLE"])["port"]) == (
            SECRET,
            "5432",
            5432,
        )
        assert environ == before
        assert SECRET not in repr(variables) + repr(settings) + str(os.environ)

    def test_a_header_of_an_api_source_may_be_a_reference(self, environ: dict[str, str]) -> None:
        source = HttpSource(Variables(environ))

        assert source._value("Authorization", "env:SHOP_TOKEN") == SECRET
        with pytest.raises(ReferenceUnknown):
            source._value("Authorization", "env:NO_SECRET")

    def test_a_value_is_fetched_once(self, environ: dict[str, str], aws: AwsServer) -> None:
        variables = Variables(environ)
        first = variables["SHOP_TOKEN"]
        name = environ["SHOP_TOKEN"].removeprefix("ssm:")
        aws.client("ssm").put_parameter(Name=name, Value="rotated", Type="SecureString", Overwrite=True)

        assert variables["SHOP_TOKEN"] == first
        assert Variables(environ)["SHOP_TOKEN"] == "rotated"

    @pytest.mark.parametrize("name", ["NO_KEY", "NO_TEXT", "NO_SECRET", "NO_PARAMETER"])
    def test_what_is_not_there_is_named_and_no_secret_is_shown(self, environ: dict[str, str], name: str) -> None:
        with pytest.raises(ReferenceUnknown) as caught:
            Variables(environ)[name]

        assert str(caught.value).startswith(f"{name} refers to {environ[name]}, which ")
        assert SECRET not in str(caught.value)
        assert classify(caught.value).failure_class is FailureClass.CODE

    def test_a_setting_that_means_nothing_is_told_without_its_value(self, environ: dict[str, str]) -> None:
        environ["SLUICE_MAINTENANCE"] = environ["WHOLE"]
        result = CliRunner().invoke(app, ["status"], env={**environ, "SLUICE_HOME": "h"})

        assert result.exit_code == 2
        assert f'SLUICE_MAINTENANCE="{environ["WHOLE"]}" is no schedule' in result.output
        assert SECRET not in result.output

    def test_parameters_below_a_path_are_variables_that_are_not_set_otherwise(
        self, environ: dict[str, str], aws: AwsServer, tmp_path: Path
    ) -> None:
        path, ssm = f"/prod-{uuid4().hex}/", aws.client("ssm")
        kept = {f"FURTHER_{number}": "x" for number in range(12)}  # more than a page
        kept |= {"SLUICE_LEDGER_URL": environ["SLUICE_LEDGER_URL"], "SLUICE_ENV": "aws", "SHOP_TOKEN": "other"}
        for name, value in [*kept.items(), ("not-a-variable", "x"), ("deeper/SLUICE_STORE", "x")]:
            ssm.put_parameter(Name=f"{path}{name}", Value=value, Type="SecureString")
        own = {name: environ[name] for name in ("SLUICE_AWS_REGION", "SLUICE_AWS_ENDPOINT", "SHOP_TOKEN")}

        variables = Variables({**own, "SLUICE_SETTINGS": f"ssm:{path}", "SLUICE_ENV": ""})

        assert set(variables) == {*own, *kept, "SLUICE_SETTINGS"}
        assert variables["SLUICE_ENV"] == "aws"
        assert variables["SHOP_TOKEN"] == SECRET
        assert fetch_settings({**variables, "SLUICE_ENV": "local"}, tmp_path).ledger_database

    def test_a_path_without_parameters_is_told(self, environ: dict[str, str]) -> None:
        with pytest.raises(ReferenceUnknown, match="has no parameter below it"):
            Variables({**environ, "SLUICE_SETTINGS": "ssm:/nobody"}).get("SLUICE_HOME")

    def test_a_network_without_aws_is_told(self, environ: dict[str, str]) -> None:
        with pytest.raises(ReferenceUnavailable, match="EndpointConnectionError") as caught:
            Variables({**environ, "SLUICE_AWS_ENDPOINT": "http://127.0.0.1:1"})["SHOP_TOKEN"]

        assert classify(caught.value).failure_class is FailureClass.UPSTREAM_UNAVAILABLE

    def test_the_doctor_looks_at_each_and_shows_no_value(self, environ: dict[str, str], tmp_path: Path) -> None:
        variables = {**environ, "SLUICE_LEDGER_URL": f"sqlite:///{tmp_path}/l.db", "SLUICE_HOME": str(tmp_path / "h")}

        result = CliRunner().invoke(app, ["doctor", "--json"], env=variables)

        states = {row["what"]: row["state"] for row in json.loads(result.stdout)}
        assert result.exit_code == 1
        assert (states["SHOP_TOKEN"], states["NO_SECRET"], states["settings"]) == ("good", "broken", "good")
        assert SECRET not in result.output


class TestWithPolicies:
    pytestmark = aws_tests

    @pytest.mark.parametrize("keeper", ["secretsmanager", "ssm"])
    def test_what_may_not_be_read_is_told(
        self, guarded: AwsServer, monkeypatch: pytest.MonkeyPatch, keeper: str
    ) -> None:
        error = self.refused(guarded, monkeypatch, keeper, known=True)

        assert isinstance(error, ReferenceForbidden)
        assert "SLUICE_LEDGER_URL" in error.message
        assert classify(error).failure_class is FailureClass.PERMISSION

    def test_credentials_that_nobody_knows_are_told(self, guarded: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
        assert isinstance(self.refused(guarded, monkeypatch, "ssm", known=False), CredentialsInvalid)

    def refused(self, guarded: AwsServer, monkeypatch: pytest.MonkeyPatch, keeper: str, *, known: bool) -> SluiceError:
        iam, user = guarded.client("iam"), f"user-{uuid4().hex[:8]}"
        iam.create_user(UserName=user)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"] if known else "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"] if known else SECRET)
        environ = {
            "SLUICE_AWS_REGION": "eu-central-1",
            "SLUICE_AWS_ENDPOINT": guarded.endpoint,
            "SLUICE_LEDGER_URL": f"{keeper}:x",
        }
        with pytest.raises(SluiceError) as caught:
            Variables(environ)["SLUICE_LEDGER_URL"]
        return caught.value
