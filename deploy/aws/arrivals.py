"""The way of events: from the bucket, straight or through EventBridge, to a queue, and to another for dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.aws.lake import Lake
    from deploy.aws.toggles import Toggles

RECEIPTS = 20
"""A killed tick gives its messages back unseen; docs/events.md."""

_KEPT = cdk.Duration.days(14)
_RAW = "raw/"


class Arrivals(Construct):
    def __init__(self, scope: Construct, toggles: Toggles, lake: Lake) -> None:
        super().__init__(scope, "Arrivals")
        self._toggles, self._lake = toggles, lake
        self.dead_letters = self._queue("DeadLetters", f"{toggles.name}-dead")
        self.queue = self._queue(
            "Queue", toggles.name, sqs.DeadLetterQueue(max_receive_count=RECEIPTS, queue=self.dead_letters)
        )
        rules = [self._rule("Requests", "runs on request", {"detail-type": ["sluice.run"]})]
        if toggles.events != "sqs":
            pattern = {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": [lake.name]}, "object": {"key": [{"prefix": _RAW}]}},
            }
            rules.append(self._rule("Objects", "what lands", pattern))
        self._let_in(rules)
        lake.announce(self._notifications(), after=self.queue.node.find_child("Policy"))

    def _queue(self, name: str, queue_name: str, letters: sqs.DeadLetterQueue | None = None) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            queue_name=queue_name,
            retention_period=_KEPT,
            visibility_timeout=cdk.Duration.minutes(2),
            receive_message_wait_time=cdk.Duration.seconds(0),
            encryption=sqs.QueueEncryption.SQS_MANAGED,  # S3 and EventBridge could not use a key of AWS's own
            enforce_ssl=True,
            dead_letter_queue=letters,
        )

    def _rule(self, name: str, what: str, pattern: Mapping[str, object]) -> events.CfnRule:
        target = events.CfnRule.TargetProperty(
            id="queue",
            arn=self.queue.queue_arn,
            dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.dead_letters.queue_arn),
        )
        return events.CfnRule(
            self,
            name,
            name=f"{self._toggles.name}-{name.lower()}",
            description=f"Sluice: {what}, to its queue",
            event_pattern=dict(pattern),
            targets=[target],
        )

    def _let_in(self, rules: list[events.CfnRule]) -> None:
        """Let S3 send for this bucket of this account only, EventBridge for these rules only."""
        arns = [
            cdk.Stack.of(self).format_arn(service="events", resource="rule", resource_name=str(rule.name))
            for rule in rules
        ]
        bridge, ours = iam.ServicePrincipal("events.amazonaws.com"), {"ArnEquals": {"aws:SourceArn": arns}}
        self.queue.add_to_resource_policy(_sending(self.queue, bridge, ours))
        self.dead_letters.add_to_resource_policy(_sending(self.dead_letters, bridge, ours))
        if self._toggles.events != "eventbridge":
            bucket = f"arn:{cdk.Aws.PARTITION}:s3:::{self._lake.name}"
            only = {"ArnEquals": {"aws:SourceArn": bucket}, "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
            self.queue.add_to_resource_policy(_sending(self.queue, iam.ServicePrincipal("s3.amazonaws.com"), only))

    def _notifications(self) -> s3.CfnBucket.NotificationConfigurationProperty:
        prefix = s3.CfnBucket.FilterRuleProperty(name="prefix", value=_RAW)
        only_raw = s3.CfnBucket.NotificationFilterProperty(s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[prefix]))
        straight = s3.CfnBucket.QueueConfigurationProperty(
            event="s3:ObjectCreated:*", queue=self.queue.queue_arn, filter=only_raw
        )
        bridge = s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        return s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[straight] if self._toggles.events != "eventbridge" else None,
            event_bridge_configuration=bridge if self._toggles.events != "sqs" else None,
        )


def _sending(queue: sqs.Queue, who: iam.ServicePrincipal, condition: Mapping[str, object]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[who], actions=["sqs:SendMessage"], resources=[queue.queue_arn], conditions=dict(condition)
    )
