"""`sluice doctor` and a run tell the same of what is wrong in AWS: one clear message each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from pipeline_assets.cli.app import app
from resources.clock import ManualClock
from resources.failures import classify
from resources.s3_checkup import check_s3
from resources.s3_store import S3ObjectStore
from sluice.errors import CredentialsInvalid, StoreForbidden
from sluice.healing.failure import FailureClass

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws

WHAT_SLUICE_NEEDS = ["s3:ListBucket", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:GetBucketVersioning"]


@dataclass(frozen=True)
class Setup:
    server: AwsServer
    bucket: str
    folder: Path

    def doctor(self, **changed: str) -> Result:
        environ = {
            "SLUICE_HOME": str(self.folder / "home"),
            "SLUICE_ENV": "aws",
            "SLUICE_STORE": f"s3://{self.bucket}/prod",
            "SLUICE_AWS_REGION": "eu-central-1",
            "SLUICE_AWS_ENDPOINT": self.server.endpoint,
            **changed,
        }
        return CliRunner().invoke(app, ["doctor", "--json"], env=environ)

    def states(self, **changed: str) -> dict[str, str]:
        rows = json.loads(self.doctor(**changed).stdout)
        return {row["what"]: row["state"] for row in rows}


@pytest.fixture
def setup(aws: AwsServer, tmp_path: Path) -> Setup:
    return Setup(aws, aws.new_bucket(f"doctor-{uuid4().hex}", versioned=True), tmp_path)


def become(server: AwsServer, monkeypatch: pytest.MonkeyPatch, *actions: str) -> None:
    """Take on the credentials of a new user that may do these actions."""
    iam, name = server.client("iam"), f"user-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])


def test_a_whole_environment_is_well(setup: Setup) -> None:
    result = setup.doctor()

    assert result.exit_code == 0, result.output
    assert set(setup.states().values()) == {"good"}


def test_the_probe_is_never_listed(setup: Setup) -> None:
    setup.doctor()

    assert list(S3ObjectStore(setup.server.place(setup.bucket, "prod/")).list("")) == []


def test_a_bucket_without_versions_works_with_an_advice(setup: Setup) -> None:
    plain = setup.server.new_bucket(f"plain-{uuid4().hex}")

    result = setup.doctor(SLUICE_STORE=f"s3://{plain}")

    assert result.exit_code == 0
    assert f"aws s3api put-bucket-versioning --bucket {plain}" in result.stdout


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        pytest.param({"SLUICE_STORE": "s3://not-there"}, 'There is no bucket \\"not-there\\"', id="bucket"),
        pytest.param({"SLUICE_AWS_REGION": "us-west-2"}, "Set SLUICE_AWS_REGION=eu-central-1", id="region"),
        pytest.param({"SLUICE_AWS_ENDPOINT": "http://127.0.0.1:1"}, "cannot be reached", id="network"),
        pytest.param({"SLUICE_STORE": ""}, "Set it to s3://BUCKET", id="settings"),
    ],
)
def test_what_is_wrong_is_said_once_with_its_cure(setup: Setup, changed: dict[str, str], says: str) -> None:
    result = setup.doctor(**changed)

    assert result.exit_code == 1
    assert says in result.stdout
    assert list(setup.states(**changed).values()).count("broken") == 1


def test_no_credentials_are_told(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    result = setup.doctor()

    assert result.exit_code == 1
    assert "The AWS credentials are nowhere to be found." in result.stdout


def test_a_clock_that_is_wrong_is_told(setup: Setup) -> None:
    place = setup.server.place(setup.bucket)
    clock = ManualClock(datetime.now(UTC) - timedelta(hours=1))

    (checked,) = [item for item in check_s3(place, clock) if item.what == "clock"]

    assert checked.state == "broken"
    assert "Set the clock" in checked.cure


class TestWithPolicies:
    def test_the_permissions_of_the_page_are_enough(
        self, guarded: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        setup = Setup(guarded, guarded.new_bucket(f"least-{uuid4().hex}", versioned=True), tmp_path)
        become(guarded, monkeypatch, *WHAT_SLUICE_NEEDS)

        assert set(setup.states().values()) == {"good"}

    @pytest.mark.parametrize(
        ("missing", "what"),
        [("s3:ListBucket", "bucket"), ("s3:PutObject", "write and read"), ("s3:GetObject", "write and read")],
    )
    def test_a_missing_permission_is_told(
        self, guarded: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, what: str
    ) -> None:
        setup = Setup(guarded, guarded.new_bucket(f"less-{uuid4().hex}", versioned=True), tmp_path)
        become(guarded, monkeypatch, *(action for action in WHAT_SLUICE_NEEDS if action != missing))

        result = setup.doctor()

        assert result.exit_code == 1
        assert "These credentials may not do" in result.stdout
        assert setup.states()[what] == "broken"

    def test_a_run_without_permission_fails_as_one(
        self, guarded: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = S3ObjectStore(guarded.place(guarded.new_bucket(f"none-{uuid4().hex}")))
        become(guarded, monkeypatch, "s3:ListBucket")
        source = tmp_path / "source"
        source.write_bytes(b"one")

        with pytest.raises(StoreForbidden, match="may not do PutObject on s3://none-") as caught:
            store.put("raw/a", source)
        assert classify(caught.value).failure_class is FailureClass.PERMISSION
        assert source.exists()

    def test_credentials_that_nobody_knows_are_told(
        self, guarded: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        setup = Setup(guarded, guarded.new_bucket(f"unknown-{uuid4().hex}"), tmp_path)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2-hunter2")

        result = setup.doctor()

        assert result.exit_code == 1
        assert "are not known to AWS" in result.stdout
        assert "hunter2" not in result.output
        with pytest.raises(CredentialsInvalid) as caught:
            list(S3ObjectStore(guarded.place(setup.bucket)).list(""))
        assert classify(caught.value).failure_class is FailureClass.PERMISSION
