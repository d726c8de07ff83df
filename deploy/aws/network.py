"""Two zones: tasks with a way out and none in, a database without either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

if TYPE_CHECKING:
    from deploy.aws.toggles import Toggles


class Network(Construct):
    """Without NAT gateways (about $35 a month each) tasks have addresses of their own, which nothing can connect to."""

    def __init__(self, scope: Construct, toggles: Toggles) -> None:
        super().__init__(scope, "Network")
        self.has_public_addresses = toggles.nat_gateways == 0
        self.tasks = ec2.SubnetSelection(subnet_group_name="tasks")
        self.data = ec2.SubnetSelection(subnet_group_name="data")
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=toggles.nat_gateways,
            subnet_configuration=self._subnets(),
        )
        # Free, and spares the way of all data through a NAT gateway.
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        self.vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)

    def _subnets(self) -> list[ec2.SubnetConfiguration]:
        data = ec2.SubnetConfiguration(name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)
        if self.has_public_addresses:
            return [ec2.SubnetConfiguration(name="tasks", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=20), data]
        tasks = ec2.SubnetConfiguration(name="tasks", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20)
        return [ec2.SubnetConfiguration(name="gateways", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24), tasks, data]

    def group(self, name: str, what: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, name, vpc=self.vpc, description=what, allow_all_outbound=True)
