"""Dagster in containers: web server, daemon, code location, and a task for each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_servicediscovery as discovery

from deploy.aws.network import Network
from deploy.aws.permissions import Permissions
from deploy.aws.records import PORT, Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from constructs import Construct

    from deploy.aws.data_stack import DataStack
    from deploy.aws.toggles import Toggles

CODE_PORT, WEB_PORT = 4000, 3000

_ANY = "0.0.0.0"  # noqa: S104  of a task's own network, which lets in nothing but other tasks
_CODE = (
    *("dagster", "code-server", "start", "--host", _ANY, "--port", str(CODE_PORT), "--location-name", "sluice"),
    *("--module-name", "pipeline_assets.definitions", "--working-directory", "/app"),
)
_WORKSPACE = ("--workspace", "/app/deploy/aws/workspace.yaml")
_DAEMON = ("python", "-m", "resources.prompt_daemon", "run", *_WORKSPACE)
_WEB = ("dagster-webserver", "--host", _ANY, "--port", str(WEB_PORT), *_WORKSPACE)
_CODE_IS_WELL = ("CMD", "dagster", "api", "grpc-health-check", "--port", str(CODE_PORT))


class ServiceStack(cdk.Stack):
    """Nothing is reachable from outside: Dagster's web server asks for no password. docs/aws.md opens a tunnel."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        toggles: Toggles,
        data: DataStack,
        synthesizer: cdk.IStackSynthesizer,
    ) -> None:
        super().__init__(scope, name, synthesizer=synthesizer, description="Sluice: Dagster on Fargate")
        cdk.Tags.of(self).add("project", toggles.name)
        self._toggles, self._data = toggles, data
        self._network = Network(self, toggles)
        self._records = Records(self, toggles, self._network, data.lake.key.key_arn)
        self._cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=toggles.name,
            vpc=self._network.vpc,
            # A tunnel is all that is wanted of it, and a log of that would take permissions on all logs.
            execute_command_configuration=ecs.ExecuteCommandConfiguration(logging=ecs.ExecuteCommandLogging.NONE),
        )
        self._group = self._network.group("Tasks", "Tasks of Dagster: each other only")
        for port in (CODE_PORT, WEB_PORT):
            self._group.add_ingress_rule(self._group, ec2.Port.tcp(port), "from each other")
        self._records.group.add_ingress_rule(self._group, ec2.Port.tcp(PORT), "from tasks")
        self._names = discovery.PrivateDnsNamespace(
            self, "Names", name=f"{toggles.name}.internal", vpc=self._network.vpc
        )
        may = Permissions(data)
        run = self._task("Run", may.to_build(), cpu=2048, memory=8192, command=())
        code = self._task("Code", may.to_look(), cpu=1024, memory=4096, command=_CODE, health=_CODE_IS_WELL)
        told = {"SLUICE_RUN_TASK": run.family, "SLUICE_CLUSTER": self._cluster.cluster_name}
        daemon = self._task("Daemon", self._launch(run), cpu=512, memory=2048, command=_DAEMON, told=told)
        web = self._task("Web", self._launch(run), cpu=512, memory=2048, command=_WEB, told=told)
        code_service = self._service("Code", code, is_named="code")
        for service in (self._service("Daemon", daemon), self._service("Web", web)):
            service.node.add_dependency(code_service)

    def _task(
        self,
        name: str,
        statements: Iterable[iam.PolicyStatement],
        *,
        cpu: int,
        memory: int,
        command: tuple[str, ...],
        health: tuple[str, ...] | None = None,
        told: Mapping[str, str] | None = None,
    ) -> ecs.FargateTaskDefinition:
        task = ecs.FargateTaskDefinition(
            self, f"{name}Task", family=f"{self._toggles.name}-{name.lower()}", cpu=cpu, memory_limit_mib=memory
        )
        for statement in statements:
            task.add_to_task_role_policy(statement)
        task.add_container(
            name.lower(),
            image=ecs.ContainerImage.from_ecr_repository(self._data.registry, self._toggles.image_tag),
            command=list(command) or None,
            environment={**self._data.settings(), **self._own_settings(), **(told or {})},
            secrets=self._records.secrets(),
            health_check=_health(health) if health else None,
            logging=ecs.LogDriver.aws_logs(stream_prefix=name.lower(), log_group=self._log(name)),
            stop_timeout=cdk.Duration.seconds(120),
        )
        return task

    def _own_settings(self) -> dict[str, str]:
        return {
            "SLUICE_LOGS": "json",
            "SLUICE_METRICS": "emf",
            "SLUICE_CODE_HOST": f"code.{self._toggles.name}.internal",
        }

    def _log(self, name: str) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            f"{name}Log",
            log_group_name=f"/{self._toggles.name}/{name.lower()}",
            retention=_retention(self._toggles.log_retention_days),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _launch(self, run: ecs.FargateTaskDefinition) -> Iterable[iam.PolicyStatement]:
        """What Dagster's ECS run launcher does: the daemon starts runs, the web server ends them."""
        cluster = {"ArnEquals": {"ecs:cluster": self._cluster.cluster_arn}}
        family = self.format_arn(service="ecs", resource="task-definition", resource_name=f"{run.family}:*")
        task = self.format_arn(service="ecs", resource="task", resource_name=f"{self._cluster.cluster_name}/*")
        yield _allow(["ecs:RunTask"], [family], cluster)
        yield _allow(["ecs:DescribeTasks", "ecs:StopTask"], [task], cluster)
        yield _allow(["ecs:TagResource"], [task], {"StringEquals": {"ecs:CreateAction": "RunTask"}})
        # AWS knows no resources for these two.
        yield _allow(["ecs:DescribeTaskDefinition", "ec2:DescribeNetworkInterfaces"], ["*"])
        roles = [run.task_role.role_arn, run.obtain_execution_role().role_arn]
        to_ecs = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        yield _allow(["iam:PassRole"], roles, to_ecs)

    def _service(
        self, name: str, task: ecs.FargateTaskDefinition, *, is_named: str | None = None
    ) -> ecs.FargateService:
        names = ecs.CloudMapOptions(name=is_named, cloud_map_namespace=self._names) if is_named else None
        return ecs.FargateService(
            self,
            name,
            service_name=name.lower(),
            cluster=self._cluster,
            task_definition=task,
            desired_count=1,
            # One daemon, never two: the old one goes before the new one comes.
            min_healthy_percent=0,
            max_healthy_percent=100,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            assign_public_ip=self._network.has_public_addresses,
            vpc_subnets=self._network.tasks,
            security_groups=[self._group],
            enable_execute_command=name == "Web",
            cloud_map_options=names,
        )


def _health(command: tuple[str, ...]) -> ecs.HealthCheck:
    seconds = cdk.Duration.seconds
    return ecs.HealthCheck(
        command=list(command), interval=seconds(30), timeout=seconds(15), retries=5, start_period=seconds(180)
    )


def _retention(days: int) -> logs.RetentionDays:
    known = {1: "ONE_DAY", 7: "ONE_WEEK", 14: "TWO_WEEKS", 30: "ONE_MONTH", 90: "THREE_MONTHS", 365: "ONE_YEAR"}
    if days not in known:
        raise ValueError(f"logRetentionDays={days}: write one of {', '.join(map(str, known))}")
    return logs.RetentionDays[known[days]]


def _allow(
    actions: list[str], resources: list[str], conditions: Mapping[str, object] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=resources, conditions=dict(conditions or {}))
