"""An account that stacks are deployed into: ministack, and a shell with its credentials."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.aws_server import CREDENTIALS, REGION
from tests.deploy.templates import AWS_TOOLS, CHECKOUT, MAKE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.aws_server import AwsServer
    from tests.deploy.templates import Template

# ministack refuses templates that have them: what security groups let in, and alarms on queries of metrics.
_RULES, _ALARM = "AWS::EC2::SecurityGroupIngress", "AWS::CloudWatch::Alarm"

_COMMANDS = f"""
set -euo pipefail
make() {{ command {" ".join(MAKE)} "$@"; }}
sluice() {{ "{sys.executable}" -c "from pipeline_assets.cli import main; main()" "$@"; }}
"""


@dataclass(frozen=True)
class Account:
    server: AwsServer
    home: Path
    credentials: Mapping[str, str] = field(default_factory=lambda: CREDENTIALS)

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.credentials,
            "PATH": f"{AWS_TOOLS}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(CHECKOUT),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.server.endpoint,  # for AWS's own tools
            "SLUICE_AWS_ENDPOINT": self.server.endpoint,
            "SLUICE_HOME": str(self.home),
        }

    def shell(self, commands: str) -> str:
        """Run commands of a page, in the checkout as its reader does; the first that fails ends them."""
        done = subprocess.run(
            ["bash", "-c", _COMMANDS + commands],
            cwd=CHECKOUT,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def of_person(self, policy: str) -> Account:
        """Return the account as somebody sees it who may do what this policy says, and nothing else."""
        iam = self.server.client("iam")
        iam.create_user(UserName="person")
        iam.attach_user_policy(UserName="person", PolicyArn=policy)
        # ministack takes the database that GetDatabase names for a table; AWS asks for the database.
        misread = {"Effect": "Allow", "Action": "glue:GetDatabase", "Resource": "arn:aws:glue:*:*:table/sluice"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [misread]})
        iam.put_user_policy(UserName="person", PolicyName="emulator", PolicyDocument=document)
        key = iam.create_access_key(UserName="person")["AccessKey"]
        own = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        return replace(self, credentials={**self.credentials, **own})

    def deploy(self, command: str, templates: dict[str, Template]) -> None:
        """Run the command of the page, on what ministack knows of the template that it names."""
        folder = self.home / "templates"
        folder.mkdir(exist_ok=True)
        for name, template in templates.items():
            (folder / f"{name}.template.json").write_text(json.dumps(known_to_the_emulator(template).body))
        self.shell(command.replace(".cache/cdk.out", str(folder)))


def known_to_the_emulator(template: Template) -> Template:
    resources = template.body["Resources"]
    unknown = {name for name, item in resources.items() if _is_unknown(item["Type"], item["Properties"])}
    kept = {name: _without(item, unknown) for name, item in resources.items() if name not in unknown}
    return type(template)({**template.body, "Resources": kept})


def _is_unknown(kind: str, properties: dict[str, object]) -> bool:
    return kind == _RULES or (kind == _ALARM and "Metrics" in properties)


def _without(resource: dict[str, Any], unknown: set[str]) -> dict[str, Any]:
    needed = resource.get("DependsOn", [])
    assert isinstance(needed, list)
    properties = _over_plain_http(resource["Properties"])
    return {**resource, "DependsOn": [name for name in needed if name not in unknown], "Properties": properties}


def _over_plain_http(properties: dict[str, Any]) -> dict[str, Any]:
    """Leave out that TLS is demanded: the server on this machine has none, and would refuse every request."""
    if "PolicyDocument" not in properties:
        return properties
    document = properties["PolicyDocument"]
    kept = [item for item in document["Statement"] if not re.search("SecureTransport|TlsVersion", json.dumps(item))]
    return {**properties, "PolicyDocument": {**document, "Statement": kept}}
