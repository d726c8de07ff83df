"""What holds words about data: the database of Glue, the workgroup of Athena, the ledger's table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_glue as glue
from constructs import Construct

if TYPE_CHECKING:
    from deploy.aws.lake import Lake
    from deploy.aws.toggles import Toggles


class Catalog(Construct):
    """Tables are made by the first publication, not here: their columns are the contracts'."""

    def __init__(self, scope: Construct, toggles: Toggles, lake: Lake) -> None:
        super().__init__(scope, "Catalog")
        self.database, self.workgroup = toggles.database, toggles.name
        database = glue.CfnDatabase.DatabaseInputProperty(name=self.database, description="Tables published by Sluice")
        glue.CfnDatabase(self, "Database", catalog_id=cdk.Aws.ACCOUNT_ID, database_input=database)
        athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=self.workgroup,
            description="Queries of tables published by Sluice, with a limit on what one may read",
            recursive_delete_option=not toggles.keep_data,
            work_group_configuration=_configuration(toggles, lake),
        )


def _configuration(toggles: Toggles, lake: Lake) -> athena.CfnWorkGroup.WorkGroupConfigurationProperty:
    encryption = athena.CfnWorkGroup.EncryptionConfigurationProperty(
        encryption_option="SSE_KMS", kms_key=lake.key.key_arn
    )
    return athena.CfnWorkGroup.WorkGroupConfigurationProperty(
        bytes_scanned_cutoff_per_query=toggles.athena_cutoff_bytes,
        enforce_work_group_configuration=True,
        publish_cloud_watch_metrics_enabled=True,
        engine_version=athena.CfnWorkGroup.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
        result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
            output_location=f"s3://{lake.results.bucket_name}/athena/", encryption_configuration=encryption
        ),
    )


def ledger_table(scope: Construct, toggles: Toggles, lake: Lake) -> dynamodb.Table:
    return dynamodb.Table(
        scope,
        "Ledger",
        table_name=f"{toggles.name}-ledger",
        partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
        time_to_live_attribute="expires_at",
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=lake.key,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=toggles.keep_data,
        removal_policy=cdk.RemovalPolicy.RETAIN if toggles.keep_data else cdk.RemovalPolicy.DESTROY,
    )
