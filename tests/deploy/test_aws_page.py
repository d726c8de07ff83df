"""docs/aws.md takes a stranger to the first published table: its commands, as they stand there, against ministack."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws_server import CREDENTIALS, running_aws
from tests.deploy.account import Account
from tests.deploy.templates import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.aws_server import AwsServer
    from tests.deploy.templates import Template

pytestmark = [pytest.mark.aws, pytest.mark.xdist_group("deploy")]

PAGE = (CHECKOUT / "docs" / "aws.md").read_text()
OFFLINE = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """Return a server that checks signatures and policies; this process has the credentials of its root."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with running_aws(tmp_path_factory.mktemp("aws"), AUTH="true") as server:
            yield server


@pytest.fixture(scope="module")
def account(server: AwsServer, templates: dict[str, Template], tmp_path_factory: pytest.TempPathFactory) -> Account:
    """Return an account in which a stranger has done the first two steps of the page."""
    account = Account(server, tmp_path_factory.mktemp("stranger"))
    written, deployed = OFFLINE[0].splitlines()
    assert written == "make synth"  # which is what `templates` did, into another folder
    account.deploy(deployed, templates)
    return account


@pytest.fixture(scope="module")
def person(account: Account) -> Account:
    """Return the account of somebody to whom nothing but the stack's policy is attached."""
    return account.of_person(_output(account, "PeoplePolicy"))


@pytest.fixture(scope="module")
def published(person: Account) -> str:
    """Return what the commands to the first table say."""
    return person.shell(OFFLINE[1])


def test_the_page_ends_with_the_rows_of_the_first_table(published: str) -> None:
    assert "4000" in [line.strip() for line in published.splitlines()]


def test_the_toggles_of_the_page_make_a_bare_environment(account: Account, tmp_path: Path) -> None:
    account.shell(OFFLINE[2].replace("make synth", f"make synth TEMPLATES={tmp_path}"))

    assert [path.name for path in tmp_path.glob("*.template.json")] == ["sluice-dev-data.template.json"]


def test_every_output_is_a_setting_that_sluice_reads(person: Account) -> None:
    said = person.shell("make -s aws-environment")

    names = re.findall(r"^export (\w+)=", said, re.MULTILINE)
    assert names == [
        "SLUICE_ATHENA_WORKGROUP",
        "SLUICE_AWS_REGION",
        "SLUICE_DEAD_LETTERS",
        "SLUICE_ENV",
        "SLUICE_GLUE_DATABASE",
        "SLUICE_LEDGER_URL",
        "SLUICE_NOTIFY_OPS",
        "SLUICE_QUEUE",
        "SLUICE_STORE",
    ]


@pytest.mark.usefixtures("published")
def test_verify_lands_files_sees_their_events_and_finds_their_rows(person: Account) -> None:
    # ministack's Athena reads no Iceberg, so the rows are counted by DuckDB here.
    said = person.shell('make verify-e2e ARGS="--engine duckdb --date 2026-11-04 --seconds 60"')

    assert "verify: their events: there" in said
    assert said.splitlines()[-1] == "verify: well"


def test_who_has_the_policy_removes_what_was_made_but_not_what_landed(person: Account, account: Account) -> None:
    bucket, s3 = _output(account, "SluiceStore"), _client(account, "s3")
    s3.put_object(Bucket=bucket[5:], Key="processed/probe", Body=b"")
    s3.put_object(Bucket=bucket[5:], Key="raw/probe", Body=b"")

    person.shell(f"aws s3 rm {bucket}/processed/probe")

    with pytest.raises(AssertionError, match="AccessDenied"):
        person.shell(f"aws s3 rm {bucket}/raw/probe")


class TestResources:
    def test_the_bucket_sends_events_to_the_queue(self, account: Account) -> None:
        said = _client(account, "s3").get_bucket_notification_configuration(Bucket=_output(account, "SluiceStore")[5:])

        (one,) = said["QueueConfigurations"]
        assert one["QueueArn"].endswith(":sluice")
        assert one["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": "raw/"}]

    def test_a_run_on_request_reaches_the_queue(self, account: Account) -> None:
        sqs, queue = _client(account, "sqs"), _output(account, "SluiceQueue")
        sqs.purge_queue(QueueUrl=queue)

        entry = {"Source": "acme", "DetailType": "sluice.run", "Detail": '{"dataset": "orders"}'}
        _client(account, "events").put_events(Entries=[entry])

        (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
        assert '"sluice.run"' in message["Body"]

    def test_the_ledgers_table_takes_items_by_its_keys(self, account: Account) -> None:
        client, item = _client(account, "dynamodb"), {"pk": {"S": "probe"}, "sk": {"S": "1"}}

        client.put_item(TableName="sluice-ledger", Item=item)

        assert client.get_item(TableName="sluice-ledger", Key=item)["Item"] == item

    def test_the_workgroup_answers_and_has_a_limit(self, account: Account) -> None:
        client = _client(account, "athena")
        said = client.get_work_group(WorkGroup="sluice")["WorkGroup"]["Configuration"]
        started = client.start_query_execution(QueryString="select 6 * 7 as answer", WorkGroup="sluice")

        _await_query(client, started["QueryExecutionId"])
        rows = client.get_query_results(QueryExecutionId=started["QueryExecutionId"])["ResultSet"]["Rows"]
        assert said["BytesScannedCutoffPerQuery"] == 10 * 1024**3
        assert rows[-1]["Data"][0]["VarCharValue"] == "42"

    def test_the_topic_takes_notices(self, account: Account) -> None:
        said = _client(account, "sns").publish(TopicArn=_output(account, "SluiceNotifyOps"), Message="probe")

        assert said["MessageId"]

    def test_services_run_in_their_cluster(self, account: Account, templates: dict[str, Template]) -> None:
        (command,) = re.findall(r"^aws cloudformation deploy --stack-name sluice-services .*$", PAGE, re.MULTILINE)

        account.deploy(command, templates)

        ecs = _client(account, "ecs")
        services = ecs.describe_services(cluster="sluice", services=["code", "daemon", "web"])["services"]
        assert {(item["serviceName"], item["desiredCount"]) for item in services} == {
            ("code", 1),
            ("daemon", 1),
            ("web", 1),
        }
        (run,) = ecs.describe_task_definition(taskDefinition="sluice-run")["taskDefinition"]["containerDefinitions"]
        told = {item["name"]: item["value"] for item in run["environment"]}
        assert told["SLUICE_STORE"] == _output(account, "SluiceStore")
        assert (told["SLUICE_LOGS"], told["SLUICE_METRICS"]) == ("json", "emf")


def test_a_stack_that_is_not_there_is_told(account: Account) -> None:
    with pytest.raises(AssertionError, match="does not exist"):
        account.shell("make aws-environment STACK=nowhere")


def _await_query(client: Any, query: str) -> None:
    until = time.monotonic() + 30
    while client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"] in {
        "QUEUED",
        "RUNNING",
    }:
        assert time.monotonic() < until
        time.sleep(0.1)


def _client(account: Account, service: str) -> Any:
    return account.server.client(service)


def _output(account: Account, name: str) -> str:
    (stack,) = _client(account, "cloudformation").describe_stacks(StackName="sluice-data")["Stacks"]
    return next(str(item["OutputValue"]) for item in stack["Outputs"] if item["OutputKey"] == name)
