"""The next version of a contract file: the same text with further columns, and nothing else changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, SequenceNode

from sluice.errors import ContractInvalid
from sluice.inference.contract_text import InferredColumn, column_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ruamel.yaml.nodes import Node

_VERSION = re.compile(r"^(version:\s*)([\"']?)([^\s\"'#]+)([\"']?)", re.MULTILINE)


def with_columns(text: str, columns: Sequence[InferredColumn], *, version: str, path: str) -> str:
    """Return the contract with `columns` after its last one; raises ContractInvalid when it has no list of columns.

    Comments and layout stay as they are; a list written in one line (`[{...}]`) cannot be added to.
    """
    properties = _properties(text)
    if properties is None or properties.flow_style or not properties.value:
        raise ContractInvalid(
            path=path,
            line=1,
            field="schema[0].properties",
            problem="is not a list with one property below the other",
            cure="Write each property on a line of its own, beginning with a dash, or add the columns by hand.",
        )
    lines = text.splitlines()
    dash = properties.start_mark.column
    last = _last_line(properties.value[-1].start_mark.line, dash, lines)
    indent = " " * dash
    added = [f"{indent}{line}".rstrip() for column in columns for line in column_lines(column)]
    new = "\n".join([*lines[: last + 1], *added, *lines[last + 1 :]]) + "\n"
    return _VERSION.sub(lambda found: f"{found[1]}{found[2]}{version}{found[4]}", new, count=1)


def _properties(text: str) -> SequenceNode | None:
    schema = _member(YAML().compose(text), "schema")
    table = schema.value[0] if isinstance(schema, SequenceNode) and schema.value else None
    found = _member(table, "properties")
    return found if isinstance(found, SequenceNode) else None


def _member(node: Node | None, name: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _last_line(start: int, dash: int, lines: Sequence[str]) -> int:
    """Return the last line of the property that begins on line `start`: its lines are deeper than its dash."""
    last = start
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip()) <= dash:
            break
        last = number if line.strip() else last
    return last
