"""An account that stacks are deployed into: ministack, and a shell with its credentials."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.aws_server import CREDENTIALS, REGION
from tests.deploy.templates import AWS_TOOLS, CHECKOUT, MAKE

if TYPE_CHECKING:
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

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            **CREDENTIALS,
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


def _without(resource: dict[str, object], unknown: set[str]) -> dict[str, object]:
    needed = resource.get("DependsOn", [])
    assert isinstance(needed, list)
    return {**resource, "DependsOn": [name for name in needed if name not in unknown]}
