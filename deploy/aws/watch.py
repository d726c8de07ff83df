"""Who is told when something is wrong, and where to look: topics, alarms, a dashboard, on what Sluice and SQS count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy.aws.arrivals import Arrivals
    from deploy.aws.lake import Lake
    from deploy.aws.toggles import Toggles

NAMESPACE = "Sluice"
"""Of the metrics that Sluice writes into its log, in embedded metric format."""

_FIVE = cdk.Duration.minutes(5)
_OLD_SECONDS = 15 * 60
"""A message waits seconds while the daemon is well; the listing every quarter of an hour would find its file anyway."""

_DEEP = 10_000

_GRAPHS = {
    "Rows": {"RowsPublished": "Sum", "RecordsRejected": "Sum"},
    "Retries": {"Retries": "Sum"},
    "Mean time to detect and to resolve (s)": {"SecondsToDetect": "Average", "SecondsToResolve": "Average"},
    "Freshness lag (s)": {"FreshnessLagSeconds": "Maximum"},
    "Cost of builds (USD)": {"BuildDollars": "Sum"},
}
"""docs/telemetry.md says what each is; every one is written by dataset."""


def notices_topic(scope: Construct, toggles: Toggles, lake: Lake) -> sns.Topic:
    """Return the topic that Sluice's notices and CloudWatch's alarms go to."""
    topic = sns.Topic(scope, "Notices", topic_name=toggles.name, master_key=lake.key, enforce_ssl=True)
    cloudwatch_service = iam.ServicePrincipal("cloudwatch.amazonaws.com")
    ours = {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
    lake.key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[cloudwatch_service],
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=["*"],  # in a key's own policy this is the key
            conditions=ours,
        )
    )
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[cloudwatch_service], actions=["sns:Publish"], resources=[topic.topic_arn], conditions=ours
        )
    )
    if toggles.alarm_email:
        topic.add_subscription(subscriptions.EmailSubscription(toggles.alarm_email))
    return topic


class Watch(Construct):
    def __init__(self, scope: Construct, toggles: Toggles, arrivals: Arrivals, topic: sns.Topic) -> None:
        super().__init__(scope, "Watch")
        self._toggles, self._arrivals, self._topic = toggles, arrivals, topic
        if toggles.alarms:
            self._add_alarms()
        if toggles.dashboard:
            self._add_dashboard()

    def _add_alarms(self) -> None:
        queue, letters = self._arrivals.queue, self._arrivals.dead_letters
        waiting = letters.metric_approximate_number_of_messages_visible(period=_FIVE, statistic="Maximum")
        depth = queue.metric_approximate_number_of_messages_visible(period=_FIVE, statistic="Maximum")
        age = queue.metric_approximate_age_of_oldest_message(period=_FIVE, statistic="Maximum")
        self._alarm("DeadLetters", waiting, 0, "A message nobody understands: sluice dlq list")
        self._alarm("QueueDepth", depth, _DEEP, "Messages pile up: does the daemon run?", periods=3)
        self._alarm("QueueAge", age, _OLD_SECONDS, "A message waits too long: does the daemon run?")
        # An alarm takes no search; this takes in datasets that are still to come, too.
        latest = f"SELECT MAX(FreshnessLagSeconds) FROM SCHEMA({NAMESPACE}, dataset)"
        lag = cloudwatch.MathExpression(expression=latest, using_metrics={}, label="Freshness lag", period=_FIVE)
        limit = self._toggles.freshness_lag_seconds
        self._alarm("Freshness", lag, limit, "A dataset is late: sluice slo, sluice incidents")

    def _alarm(self, name: str, metric: cloudwatch.IMetric, above: float, what: str, *, periods: int = 1) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._toggles.name}-{name}",
            alarm_description=what,
            metric=metric,
            threshold=above,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))
        alarm.add_ok_action(actions.SnsAction(self._topic))

    def _add_dashboard(self) -> None:
        queue, letters = self._arrivals.queue, self._arrivals.dead_letters
        depth = [item.metric_approximate_number_of_messages_visible(period=_FIVE) for item in (queue, letters)]
        age = queue.metric_approximate_age_of_oldest_message(period=_FIVE, statistic="Maximum")
        graphs = [
            *(_graph(title, [_by_dataset(*item) for item in shown.items()]) for title, shown in _GRAPHS.items()),
            _graph("Messages waiting", depth),
            _graph("Oldest message (s)", [age]),
        ]
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self._toggles.name)
        dashboard.add_widgets(*graphs)


def _by_dataset(name: str, statistic: str) -> cloudwatch.MathExpression:
    """Return a line for each dataset there is or will be."""
    search = f"SEARCH('{{{NAMESPACE},dataset}} MetricName=\"{name}\"', '{statistic}')"
    return cloudwatch.MathExpression(expression=search, using_metrics={}, label=name, period=_FIVE)


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8, height=6)
