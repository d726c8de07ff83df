"""What deploy/aws would make in an account."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.templates import AWS_TOOLS, CDK, CHECKOUT, VARIANTS, listed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.templates import Template

pytestmark = [pytest.mark.aws, pytest.mark.xdist_group("deploy")]

DATA = ["sluice-data", "bare-data", "rich-data"]
ALL = [*DATA, "sluice-services", "rich-services"]

# What Sluice writes by dataset: docs/telemetry.md.
METRICS = [
    "RowsPublished",
    "RecordsRejected",
    "Retries",
    "SecondsToDetect",
    "SecondsToResolve",
    "FreshnessLagSeconds",
    "BuildDollars",
]

# AWS knows no resources for these actions, so "*" is the only thing to write.
WITHOUT_RESOURCES = {
    "ecr:GetAuthorizationToken",
    "ecs:DescribeTaskDefinition",
    "ec2:DescribeNetworkInterfaces",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}


def test_every_toggle_has_its_stacks(templates: dict[str, Template]) -> None:
    assert sorted(templates) == sorted(ALL)


def test_templates_are_small_enough_to_deploy_without_a_bucket(templates: dict[str, Template]) -> None:
    sizes = {name: len(json.dumps(item.body)) for name, item in templates.items()}

    assert max(sizes.values()) < 51_200, sizes


def test_cfn_lint_finds_nothing_in_variants(templates: dict[str, Template], tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.template.json" for name in templates if name.partition("-")[0] in VARIANTS]
    for file in files:
        file.write_text(json.dumps(templates[file.name.partition(".")[0]].body))

    linted = subprocess.run([AWS_TOOLS / "cfn-lint", *files], capture_output=True, text=True, check=False)

    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    ("context", "says"),
    [
        pytest.param({"events": "kafka"}, "write one of sqs, eventbridge, both", id="events"),
        pytest.param({"services": "no"}, "write true or false", id="switch"),
        pytest.param({"name": "Lake_1"}, "small letters, digits and hyphens", id="name"),
    ],
)
def test_a_toggle_that_means_nothing_is_refused(context: dict[str, str], says: str) -> None:
    code = (
        "import json, sys\n"
        "from types import SimpleNamespace\n"
        "from deploy.aws.toggles import read_toggles\n"
        "context = {**json.load(open('deploy/aws/cdk.json'))['context'], **json.loads(sys.argv[1])}\n"
        "read_toggles(SimpleNamespace(try_get_context=context.get))\n"
    )
    command = [str(CDK), "-c", code, json.dumps(context)]

    refused = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert refused.returncode == 1
    assert says in refused.stderr


@pytest.mark.parametrize("name", DATA)
class TestBuckets:
    def test_are_closed_encrypted_and_versioned(self, templates: dict[str, Template], name: str) -> None:
        buckets = templates[name].of_type("AWS::S3::Bucket")

        assert len(buckets) == 2
        assert [set(item["PublicAccessBlockConfiguration"].values()) for item in buckets] == [{True}, {True}]
        assert [item["VersioningConfiguration"] for item in buckets] == [{"Status": "Enabled"}] * 2
        assert [item["OwnershipControls"]["Rules"] for item in buckets] == [
            [{"ObjectOwnership": "BucketOwnerEnforced"}]
        ] * 2
        rules = [item["BucketEncryption"]["ServerSideEncryptionConfiguration"][0] for item in buckets]
        assert [rule["BucketKeyEnabled"] for rule in rules] == [True, True]
        assert [rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules] == ["aws:kms"] * 2

    def test_take_nothing_without_tls(self, templates: dict[str, Template], name: str) -> None:
        policies = templates[name].of_type("AWS::S3::BucketPolicy")

        conditions = [
            [item.get("Condition") for item in policy["PolicyDocument"]["Statement"] if item["Effect"] == "Deny"]
            for policy in policies
        ]

        assert len(policies) == 2
        assert all({"Bool": {"aws:SecureTransport": "false"}} in found for found in conditions)
        assert all({"NumericLessThan": {"s3:TlsVersion": 1.2}} in found for found in conditions)

    def test_forget_unfinished_uploads_and_results_but_nothing_that_landed(
        self, templates: dict[str, Template], name: str
    ) -> None:
        lake, results = (item["LifecycleConfiguration"]["Rules"] for item in templates[name].of_type("AWS::S3::Bucket"))

        assert {"AbortIncompleteMultipartUpload", "Id", "Status"} in [set(rule) for rule in lake]
        forgets = {rule["Prefix"] for rule in lake if "NoncurrentVersionExpiration" in rule}
        assert forgets == {"processed/", "quarantine/", "quality/", "tables/", "plain/"}
        assert not [rule for rule in lake if "ExpirationInDays" in rule]
        assert [rule["ExpirationInDays"] for rule in results if "ExpirationInDays" in rule] == [7]

    def test_nobody_deletes_what_landed(self, templates: dict[str, Template], name: str) -> None:
        denied = [item for _, item in templates[name].statements() if item.get("Sid") == "RawIsNeverDeleted"]

        (statement,) = denied
        assert statement["Effect"] == "Deny"
        assert statement["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
        assert "raw/*" in json.dumps(statement["Resource"])


class TestPermissions:
    @pytest.mark.parametrize("name", ALL)
    def test_no_action_is_a_pattern(self, templates: dict[str, Template], name: str) -> None:
        patterns = [
            (owner, action)
            for owner, statement in templates[name].statements()
            for action in listed(statement["Action"])
            if statement["Effect"] == "Allow" and "*" in action and not owner.startswith("LakeKey")
        ]

        # A key that its account may not manage could never be managed again: AWS's own default.
        assert patterns == []

    @pytest.mark.parametrize("name", ALL)
    def test_no_resource_is_everything_but_where_aws_knows_none(
        self, templates: dict[str, Template], name: str
    ) -> None:
        everything = {
            action
            for owner, statement in templates[name].statements()
            for action in listed(statement["Action"])
            if statement["Effect"] == "Allow"
            and "*" in listed(statement.get("Resource", []))
            and not owner.startswith("LakeKey")  # in a key's own policy "*" is the key
        }

        assert everything <= WITHOUT_RESOURCES

    @pytest.mark.parametrize("name", ALL)
    def test_nobody_but_services_of_this_account_is_let_in(self, templates: dict[str, Template], name: str) -> None:
        open_to_all = [
            (owner, statement)
            for owner, statement in templates[name].statements()
            if statement["Effect"] == "Allow" and "*" in json.dumps(statement.get("Principal", ""))
        ]

        assert open_to_all == []

    def test_sensors_write_no_object_and_commit_no_table(self, templates: dict[str, Template]) -> None:
        allowed = templates["sluice-services"].allowed("CodeTaskTaskRole")

        assert not {"s3:PutObject", "s3:DeleteObject", "glue:UpdateTable", "glue:CreateTable"} & set(allowed)
        assert {"sqs:ReceiveMessage", "s3:ListBucket", "dynamodb:UpdateItem"} <= set(allowed)

    def test_runs_touch_no_queue_and_remove_nothing_that_landed(self, templates: dict[str, Template]) -> None:
        allowed = templates["sluice-services"].allowed("RunTaskTaskRole")

        assert not [action for action in allowed if action.startswith("sqs:")]
        assert {"s3:PutObject", "glue:UpdateTable", "dynamodb:UpdateItem"} <= set(allowed)
        assert "raw" not in json.dumps(allowed["s3:DeleteObject"])

    @pytest.mark.parametrize("role", ["DaemonTaskTaskRole", "WebTaskTaskRole"])
    def test_who_starts_runs_sees_no_data(self, templates: dict[str, Template], role: str) -> None:
        allowed = templates["sluice-services"].allowed(role)

        services = {action.partition(":")[0] for action in allowed}
        assert services <= {"ecs", "ec2", "iam", "ssmmessages"}
        assert "RunTask" in json.dumps(allowed["iam:PassRole"])
        assert "CodeTask" not in json.dumps(allowed["iam:PassRole"])

    def test_the_managed_policy_is_within_the_limit_of_aws(self, templates: dict[str, Template]) -> None:
        document = templates["sluice-data"].the("AWS::IAM::ManagedPolicy")["PolicyDocument"]

        assert len(json.dumps(document, separators=(",", ":"))) < 6_144


class TestEvents:
    @pytest.mark.parametrize(
        ("name", "straight", "by_bridge"),
        [
            pytest.param("sluice-data", True, False, id="sqs"),
            pytest.param("bare-data", False, True, id="eventbridge"),
            pytest.param("rich-data", True, True, id="both"),
        ],
    )
    def test_what_lands_is_told_as_the_toggle_says(
        self, templates: dict[str, Template], name: str, *, straight: bool, by_bridge: bool
    ) -> None:
        said = templates[name].of_type("AWS::S3::Bucket")[0]["NotificationConfiguration"]
        sources = [rule["EventPattern"].get("source") for rule in templates[name].of_type("AWS::Events::Rule")]

        assert ("QueueConfigurations" in said) is straight
        assert ("EventBridgeConfiguration" in said) is by_bridge
        assert (["aws.s3"] in sources) is by_bridge

    def test_runs_on_request_reach_the_queue(self, templates: dict[str, Template]) -> None:
        rule = templates["sluice-data"].the("AWS::Events::Rule")

        assert rule["EventPattern"] == {"detail-type": ["sluice.run"]}
        assert rule["Targets"][0]["DeadLetterConfig"]

    def test_a_message_gets_twenty_receipts_and_then_goes_to_the_dead_letters(
        self, templates: dict[str, Template]
    ) -> None:
        by_name = {item["QueueName"]: item for item in templates["sluice-data"].of_type("AWS::SQS::Queue")}

        assert by_name["sluice"]["RedrivePolicy"]["maxReceiveCount"] == 20
        assert "RedrivePolicy" not in by_name["sluice-dead"]
        assert [item["SqsManagedSseEnabled"] for item in by_name.values()] == [True, True]


def test_a_query_has_a_limit(templates: dict[str, Template]) -> None:
    said = templates["sluice-data"].the("AWS::Athena::WorkGroup")["WorkGroupConfiguration"]

    assert said["BytesScannedCutoffPerQuery"] == 10 * 1024**3
    assert said["EnforceWorkGroupConfiguration"] is True
    assert said["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"


def test_the_ledger_is_a_table_that_can_be_put_back(templates: dict[str, Template]) -> None:
    table = templates["sluice-data"].the("AWS::DynamoDB::Table")

    assert [(item["AttributeName"], item["KeyType"]) for item in table["KeySchema"]] == [
        ("pk", "HASH"),
        ("sk", "RANGE"),
    ]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True


class TestWatch:
    def test_alarms_tell_the_topic(self, templates: dict[str, Template]) -> None:
        alarms = {item["AlarmName"]: item for item in templates["sluice-data"].of_type("AWS::CloudWatch::Alarm")}

        assert set(alarms) == {"sluice-DeadLetters", "sluice-QueueDepth", "sluice-QueueAge", "sluice-Freshness"}
        assert alarms["sluice-DeadLetters"]["Threshold"] == 0
        assert alarms["sluice-DeadLetters"]["ComparisonOperator"] == "GreaterThanThreshold"
        assert all(item["AlarmActions"] and item["OKActions"] for item in alarms.values())

    def test_the_dashboard_shows_what_sluice_counts(self, templates: dict[str, Template]) -> None:
        body = json.dumps(templates["sluice-data"].the("AWS::CloudWatch::Dashboard")["DashboardBody"])

        assert [name for name in METRICS if name not in body] == []
        assert body.count("{Sluice,dataset}") == len(METRICS)

    def test_the_alarm_on_freshness_takes_in_every_dataset(self, templates: dict[str, Template]) -> None:
        alarms = {item["AlarmName"]: item for item in templates["sluice-data"].of_type("AWS::CloudWatch::Alarm")}

        (metric,) = alarms["sluice-Freshness"]["Metrics"]
        assert metric["Expression"] == "SELECT MAX(FreshnessLagSeconds) FROM SCHEMA(Sluice, dataset)"
        assert alarms["sluice-Freshness"]["Threshold"] == 3600

    def test_a_bare_environment_has_neither(self, templates: dict[str, Template]) -> None:
        assert templates["bare-data"].of_type("AWS::CloudWatch::Alarm") == []
        assert templates["bare-data"].of_type("AWS::CloudWatch::Dashboard") == []

    def test_an_address_is_told(self, templates: dict[str, Template]) -> None:
        said = templates["rich-data"].the("AWS::SNS::Subscription")

        assert (said["Protocol"], said["Endpoint"]) == ("email", "ops@example.com")


class TestServices:
    def test_nothing_is_let_in_from_outside(self, templates: dict[str, Template]) -> None:
        services = templates["sluice-services"]

        rules = services.of_type("AWS::EC2::SecurityGroupIngress")
        assert {rule["FromPort"] for rule in rules} == {3000, 4000, 5432}
        assert all("SourceSecurityGroupId" in rule and "CidrIp" not in rule for rule in rules)
        assert not [group for group in services.of_type("AWS::EC2::SecurityGroup") if group.get("SecurityGroupIngress")]
        assert services.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer") == []

    @pytest.mark.parametrize(
        ("name", "address", "gateways"),
        [
            pytest.param("sluice-services", "ENABLED", 0, id="none"),
            pytest.param("rich-services", "DISABLED", 1, id="one"),
        ],
    )
    def test_gateways_take_the_place_of_addresses(
        self, templates: dict[str, Template], name: str, address: str, gateways: int
    ) -> None:
        networks = [
            item["NetworkConfiguration"]["AwsvpcConfiguration"] for item in templates[name].of_type("AWS::ECS::Service")
        ]

        assert {item["AssignPublicIp"] for item in networks} == {address}
        assert len(templates[name].of_type("AWS::EC2::NatGateway")) == gateways

    def test_there_is_never_a_second_daemon(self, templates: dict[str, Template]) -> None:
        services = templates["sluice-services"].of_type("AWS::ECS::Service")

        deployments = [item["DeploymentConfiguration"] for item in services]
        assert [item["MaximumPercent"] for item in deployments] == [100, 100, 100]
        assert [item["DeploymentCircuitBreaker"] for item in deployments] == [{"Enable": True, "Rollback": True}] * 3

    def test_logs_end_some_day(self, templates: dict[str, Template]) -> None:
        groups = templates["sluice-services"].of_type("AWS::Logs::LogGroup")

        assert {item["LogGroupName"]: item["RetentionInDays"] for item in groups} == {
            f"/sluice/{name}": 30 for name in ("run", "code", "daemon", "web")
        }

    def test_a_password_is_in_no_template(self, templates: dict[str, Template]) -> None:
        database = templates["sluice-services"].the("AWS::RDS::DBInstance")
        tasks = templates["sluice-services"].of_type("AWS::ECS::TaskDefinition")

        assert "{{resolve:secretsmanager:" in json.dumps(database["MasterUserPassword"])
        containers: list[dict[str, Any]] = [item for task in tasks for item in task["ContainerDefinitions"]]
        assert all("DAGSTER_PG_PASSWORD" in {item["Name"] for item in one["Secrets"]} for one in containers)
        assert not [one for one in containers for item in one["Environment"] if "PASSWORD" in item["Name"]]

    def test_the_database_is_encrypted_and_nobody_reaches_it(self, templates: dict[str, Template]) -> None:
        database = templates["sluice-services"].the("AWS::RDS::DBInstance")

        assert (database["StorageEncrypted"], database["PubliclyAccessible"]) == (True, False)
        assert database["DeletionProtection"] is True
        parameters = templates["sluice-services"].the("AWS::RDS::DBParameterGroup")["Parameters"]
        assert parameters == {"rds.force_ssl": "1"}
