"""Everything but containers: enough for `sluice` on any machine that has credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam

from deploy.aws.arrivals import Arrivals
from deploy.aws.lake import Lake
from deploy.aws.permissions import Permissions
from deploy.aws.stores import Catalog, ledger_table
from deploy.aws.watch import Watch, notices_topic

if TYPE_CHECKING:
    from constructs import Construct

    from deploy.aws.toggles import Toggles

_IMAGES = 20


class DataStack(cdk.Stack):
    def __init__(self, scope: Construct, name: str, *, toggles: Toggles, synthesizer: cdk.IStackSynthesizer) -> None:
        super().__init__(scope, name, synthesizer=synthesizer, description="Sluice: buckets, queues, tables, alarms")
        cdk.Tags.of(self).add("project", toggles.name)
        self.lake = Lake(self, toggles)
        self.arrivals = Arrivals(self, toggles, self.lake)
        self.catalog = Catalog(self, toggles, self.lake)
        self.ledger = ledger_table(self, toggles, self.lake)
        self.notices = notices_topic(self, toggles, self.lake)
        Watch(self, toggles, self.arrivals, self.notices)
        self.registry = _registry(self, toggles)
        policy = iam.ManagedPolicy(
            self,
            "People",
            description="What a person needs for the command sluice; attach it to whom it concerns",
            statements=list(Permissions(self).for_people()),
        )
        for name_, value in self.settings().items():
            cdk.CfnOutput(self, name_.title().replace("_", ""), value=value)
        cdk.CfnOutput(self, "PeoplePolicy", value=policy.managed_policy_arn)
        cdk.CfnOutput(self, "ImageRegistry", value=self.registry.repository_uri)

    def settings(self) -> dict[str, str]:
        """Return what Sluice is told of all this, by the names of its environment variables."""
        return {
            "SLUICE_ENV": "aws",
            "SLUICE_STORE": f"s3://{self.lake.bucket.bucket_name}",
            "SLUICE_AWS_REGION": cdk.Aws.REGION,
            "SLUICE_QUEUE": self.arrivals.queue.queue_url,
            "SLUICE_DEAD_LETTERS": self.arrivals.dead_letters.queue_url,
            "SLUICE_GLUE_DATABASE": self.catalog.database,
            "SLUICE_ATHENA_WORKGROUP": self.catalog.workgroup,
            "SLUICE_LEDGER_URL": f"dynamodb://{self.ledger.table_name}",
            "SLUICE_NOTIFY_OPS": self.notices.topic_arn,
        }


def _registry(scope: Construct, toggles: Toggles) -> ecr.Repository:
    return ecr.Repository(
        scope,
        "Registry",
        repository_name=toggles.name,
        image_scan_on_push=True,
        image_tag_mutability=ecr.TagMutability.MUTABLE,
        lifecycle_rules=[ecr.LifecycleRule(max_image_count=_IMAGES, description="The newest images are kept")],
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
