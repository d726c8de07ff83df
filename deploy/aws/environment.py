"""Prints what a deployed stack tells Sluice, for a shell: eval "$(make -s aws-environment)"."""

from __future__ import annotations

import re
import shlex
import sys

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def fetch_settings_of_stack(stack: str) -> dict[str, str]:
    """Return the outputs that are settings, by the names of their variables; credentials and region are AWS's own."""
    import boto3  # type: ignore[import-untyped]

    (found,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    named = {_HUMP.sub("_", item["OutputKey"]).upper(): str(item["OutputValue"]) for item in found["Outputs"]}
    return {name: value for name, value in sorted(named.items()) if name.startswith("SLUICE_")}


if __name__ == "__main__":
    for name, value in fetch_settings_of_stack(sys.argv[1]).items():
        print(f"export {name}={shlex.quote(value)}")
