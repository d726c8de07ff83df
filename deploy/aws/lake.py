"""The buckets: what lands and what is made of it, and the results of queries; and the key that encrypts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

if TYPE_CHECKING:
    from constructs import IConstruct

    from deploy.aws.toggles import Toggles

REPLACED_DAYS = 30
"""How long what is no longer current can still be had back: rewind and replay go by the tables, not by versions."""

_RESULT_DAYS = 7
_DERIVED = ("processed/", "quarantine/", "quality/", "tables/", "plain/")


class Lake(Construct):
    """`name` is known before the bucket is: the policy of a queue has to name it first."""

    def __init__(self, scope: Construct, toggles: Toggles) -> None:
        super().__init__(scope, "Lake")
        self._removal = cdk.RemovalPolicy.RETAIN if toggles.keep_data else cdk.RemovalPolicy.DESTROY
        self.name = f"{toggles.name}-lake-{cdk.Aws.ACCOUNT_ID}-{cdk.Aws.REGION}"
        self.key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=self._removal)
        self.key.add_alias(f"alias/{toggles.name}")
        self.bucket = self._bucket("Bucket", self.name, [*map(_forget_replaced, _DERIVED), _abort_uploads()])
        self.results = self._bucket(
            "Results",
            f"{toggles.name}-results-{cdk.Aws.ACCOUNT_ID}-{cdk.Aws.REGION}",
            [_abort_uploads(), _expire_results()],
        )
        self._keep_raw()

    def announce(self, configuration: s3.CfnBucket.NotificationConfigurationProperty, *, after: IConstruct) -> None:
        """Let the bucket send events; not by CDK's own method, which would deploy a function for it."""
        bucket = cast("s3.CfnBucket", self.bucket.node.default_child)
        bucket.notification_configuration = configuration
        bucket.node.add_dependency(after)

    def _bucket(self, name: str, bucket_name: str, rules: list[s3.LifecycleRule]) -> s3.Bucket:
        return s3.Bucket(
            self,
            name,
            bucket_name=bucket_name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=rules,
            removal_policy=self._removal,
        )

    def _keep_raw(self) -> None:
        """Nobody removes a version of what landed, whatever else a role allows, before this statement is taken away."""
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="RawIsNeverDeleted",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:DeleteObject", "s3:DeleteObjectVersion"],
                resources=[self.bucket.arn_for_objects("raw/*")],
            )
        )


def _forget_replaced(prefix: str) -> s3.LifecycleRule:
    days = cdk.Duration.days(REPLACED_DAYS)
    return s3.LifecycleRule(
        id=f"replaced-{prefix.strip('/')}", prefix=prefix, noncurrent_version_expiration=days, enabled=True
    )


def _abort_uploads() -> s3.LifecycleRule:
    """A killed run leaves parts that nobody sees and that cost money."""
    return s3.LifecycleRule(id="unfinished-uploads", abort_incomplete_multipart_upload_after=cdk.Duration.days(1))


def _expire_results() -> s3.LifecycleRule:
    days = cdk.Duration.days(_RESULT_DAYS)
    return s3.LifecycleRule(id="results", expiration=days, noncurrent_version_expiration=cdk.Duration.days(1))
