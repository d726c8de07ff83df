"""PostgreSQL for Dagster's own records: runs, events, schedules. Only tasks read its password, which is made here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

if TYPE_CHECKING:
    from deploy.aws.network import Network
    from deploy.aws.toggles import Toggles

PORT = 5432

_GIB, _MOST_GIB, _BACKUP_DAYS = 20, 100, 7
_FIELDS = {"USERNAME": "username", "PASSWORD": "password", "HOST": "host", "DATABASE": "dbname"}


class Records(Construct):
    def __init__(self, scope: Construct, toggles: Toggles, network: Network, key_arn: str) -> None:
        super().__init__(scope, "Records")
        # By its name: the key's own policy is another stack's, and must not wait for the roles of this one.
        key = kms.Key.from_key_arn(self, "Key", key_arn)
        self.group = network.group("RecordsGroup", "The database of Dagster: from tasks only")
        must_use_tls = rds.ParameterGroup(
            self, "Parameters", engine=_engine(), description="TLS only", parameters={"rds.force_ssl": "1"}
        )
        self._instance = rds.DatabaseInstance(
            self,
            "Database",
            engine=_engine(),
            instance_type=ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MICRO),
            credentials=rds.Credentials.from_generated_secret("dagster", encryption_key=key),
            database_name="dagster",
            parameter_group=must_use_tls,
            vpc=network.vpc,
            vpc_subnets=network.data,
            security_groups=[self.group],
            port=PORT,
            allocated_storage=_GIB,
            max_allocated_storage=_MOST_GIB,
            storage_type=rds.StorageType.GP3,
            storage_encrypted=True,
            storage_encryption_key=key,
            publicly_accessible=False,
            backup_retention=cdk.Duration.days(_BACKUP_DAYS),
            deletion_protection=toggles.keep_data,
            removal_policy=cdk.RemovalPolicy.SNAPSHOT if toggles.keep_data else cdk.RemovalPolicy.DESTROY,
        )

    def secrets(self) -> dict[str, ecs.Secret]:
        """Return what deploy/aws/dagster.yaml reads, put into the environment by ECS itself."""
        secret = self._instance.secret
        assert secret is not None  # noqa: S101  it was asked for above
        return {f"DAGSTER_PG_{name}": ecs.Secret.from_secrets_manager(secret, field) for name, field in _FIELDS.items()}


def _engine() -> rds.IInstanceEngine:
    return rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17_9)
