"""Writes the CloudFormation templates; run by `make synth`, or by CDK's own command line through cdk.json."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk

from deploy.aws.data_stack import DataStack
from deploy.aws.service_stack import ServiceStack
from deploy.aws.toggles import read_toggles

_DEFAULTS = json.loads((Path(__file__).parent / "cdk.json").read_text())["context"]


def build(app: cdk.App) -> None:
    """Data first: services need its registry to have an image."""
    toggles = read_toggles(app.node)
    # No rule on a bootstrap stack: the templates have no assets, so `aws cloudformation deploy` is enough.
    synthesizer = cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    data = DataStack(app, f"{toggles.name}-data", toggles=toggles, synthesizer=synthesizer)
    if toggles.services:
        synthesizer = cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
        ServiceStack(app, f"{toggles.name}-services", toggles=toggles, data=data, synthesizer=synthesizer)


if __name__ == "__main__":
    app = cdk.App(context=_DEFAULTS, analytics_reporting=False)  # a context on the command line comes before this one
    build(app)
    app.synth()
