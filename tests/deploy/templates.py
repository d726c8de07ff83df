"""CloudFormation templates as `make synth` writes them, and questions about them."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
CDK = CHECKOUT / ".cache" / "cdk" / "bin" / "python"
AWS_TOOLS = CHECKOUT / ".cache" / "aws-tools" / "bin"

# `make` would install into the environment that the tests run in, when it thinks that this is out of date.
MAKE = ("make", "--silent", "--old-file=.venv/.installed")

VARIANTS = {
    "bare": {"name": "bare", "events": "eventbridge", "services": False, "alarms": False, "dashboard": False},
    "rich": {"name": "rich", "events": "both", "natGateways": 1, "alarmEmail": "ops@example.com", "keepData": False},
}

# One process for all of them: to start the JavaScript inside takes longer than to write a template.
_SYNTHESIZE = """
import json, sys
import aws_cdk as cdk
from deploy.aws.app import _DEFAULTS, build
for name, context in json.loads(sys.argv[1]).items():
    app = cdk.App(context={**_DEFAULTS, **context}, outdir=f"{sys.argv[2]}/{name}", analytics_reporting=False)
    build(app)
    app.synth()
"""


@dataclass(frozen=True)
class Template:
    body: dict[str, Any]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [item["Properties"] for item in self.body["Resources"].values() if item["Type"] == kind]

    def the(self, kind: str) -> dict[str, Any]:
        (only,) = self.of_type(kind)
        return only

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each statement of each policy, with the resource that has it; not who may take on a role."""
        for name, resource in self.body["Resources"].items():
            for field in ("PolicyDocument", "KeyPolicy"):
                document = resource.get("Properties", {}).get(field, {})
                yield from ((name, statement) for statement in document.get("Statement", []))

    def allowed(self, role: str) -> dict[str, list[Any]]:
        """Return the actions that the policies of a role allow, each with its resources."""
        found: dict[str, list[Any]] = {}
        for name, statement in self.statements():
            if name.startswith(role) and statement["Effect"] == "Allow":
                for action in listed(statement["Action"]):
                    found.setdefault(action, []).extend(listed(statement.get("Resource", [])))
        return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def synthesize(contexts: dict[str, dict[str, Any]], folder: Path) -> dict[str, Template]:
    environ = {**os.environ, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"}
    command = [str(CDK), "-c", _SYNTHESIZE, json.dumps(contexts), str(folder)]
    subprocess.run(command, cwd=CHECKOUT, env=environ, check=True, capture_output=True)
    return read(folder)


def read(folder: Path) -> dict[str, Template]:
    return {
        path.name.removesuffix(".template.json"): Template(json.loads(path.read_text()))
        for path in folder.glob("**/*.template.json")
    }
