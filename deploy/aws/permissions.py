"""What each component may do, action by action; docs/aws.md lists what Sluice needs and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.aws.data_stack import DataStack

_MADE = ("processed/*", "quarantine/*", "quality/*", "tables/*", "plain/*", "maintenance/*")
"""What maintenance may remove; what landed is not among it."""


@dataclass(frozen=True, slots=True)
class Permissions:
    data: DataStack

    def to_look(self) -> Iterator[iam.PolicyStatement]:
        """Return what the code location needs: its sensors see what landed and ask for runs; they publish nothing."""
        yield from self._read()
        yield from self._messages()
        yield _allow(["glue:GetDatabase", "glue:GetTable", "glue:GetTables"], *self._glue())
        yield from self._ledger()
        yield from self._notices()

    def to_build(self) -> Iterator[iam.PolicyStatement]:
        """Return what a run needs: it reads what landed, writes all else, and commits to tables."""
        bucket = self.data.lake.bucket
        yield from self._read()
        yield _allow(["s3:PutObject", "s3:AbortMultipartUpload"], bucket.arn_for_objects("*"))
        yield _allow(["s3:DeleteObject"], *[bucket.arn_for_objects(item) for item in _MADE])
        yield _allow(["kms:GenerateDataKey"], self.data.lake.key.key_arn)
        glue = ["GetDatabase", "GetTable", "GetTables", "CreateTable", "UpdateTable"]
        yield _allow([f"glue:{item}" for item in glue], *self._glue())
        yield from self._queries()
        yield from self._ledger()
        yield from self._notices()

    def for_people(self) -> Iterator[iam.PolicyStatement]:
        """Return what a person at the command line needs: all that a run does, dead letters, and the settings."""
        yield from self.to_build()
        yield from self._messages()
        letters = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
        yield _allow(letters, self.data.arrivals.dead_letters.queue_arn)
        yield _allow(["sqs:SendMessage"], self.data.arrivals.queue.queue_arn)
        stack = cdk.Stack.of(self.data)
        arn = stack.format_arn(service="cloudformation", resource="stack", resource_name=f"{stack.stack_name}/*")
        yield _allow(["cloudformation:DescribeStacks"], arn)  # make aws-environment

    def _read(self) -> Iterator[iam.PolicyStatement]:
        bucket, key = self.data.lake.bucket, self.data.lake.key
        yield _allow(["s3:ListBucket", "s3:GetBucketVersioning", "s3:GetBucketLocation"], bucket.bucket_arn)
        yield _allow(["s3:GetObject", "s3:GetObjectVersion"], bucket.arn_for_objects("*"))
        yield _allow(["kms:Decrypt"], key.key_arn)

    def _messages(self) -> Iterator[iam.PolicyStatement]:
        arrivals = self.data.arrivals
        yield _allow(
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
            arrivals.queue.queue_arn,
        )
        yield _allow(["sqs:SendMessage", "sqs:GetQueueAttributes"], arrivals.dead_letters.queue_arn)

    def _ledger(self) -> Iterator[iam.PolicyStatement]:
        actions = ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"]
        actions += ["DescribeTable", "DescribeTimeToLive", "DescribeContinuousBackups"]  # sluice doctor
        yield _allow([f"dynamodb:{item}" for item in actions], self.data.ledger.table_arn)

    def _notices(self) -> Iterator[iam.PolicyStatement]:
        yield _allow(["sns:Publish", "sns:GetTopicAttributes"], self.data.notices.topic_arn)
        # The topic is encrypted under the key, with which who publishes encrypts.
        yield _allow(["kms:GenerateDataKey"], self.data.lake.key.key_arn)

    def _queries(self) -> Iterator[iam.PolicyStatement]:
        stack, results = cdk.Stack.of(self.data), self.data.lake.results
        group = stack.format_arn(service="athena", resource="workgroup", resource_name=self.data.catalog.workgroup)
        actions = ["GetWorkGroup", "StartQueryExecution", "GetQueryExecution", "GetQueryResults", "StopQueryExecution"]
        yield _allow([f"athena:{item}" for item in actions], group)
        yield _allow(["s3:GetBucketLocation", "s3:ListBucket"], results.bucket_arn)
        yield _allow(["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], results.arn_for_objects("athena/*"))

    def _glue(self) -> list[str]:
        stack, database = cdk.Stack.of(self.data), self.data.catalog.database
        names = [("catalog", None), ("database", database), ("table", f"{database}/*")]
        return [stack.format_arn(service="glue", resource=kind, resource_name=name) for kind, name in names]


def _allow(actions: list[str], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=list(resources))
