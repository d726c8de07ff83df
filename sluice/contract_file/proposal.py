"""The next version of a contract file: the same text with further columns and shims, and nothing else changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, SequenceNode

from sluice.contract_file.settings import NAME
from sluice.contract_file.yaml_edits import Edits
from sluice.errors import ContractInvalid
from sluice.inference.contract_text import column_lines, quoted

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

    from sluice.contract import Shim
    from sluice.drift_remedy import Amendment

_VERSION = re.compile(r"^(version:\s*)([\"']?)([^\s\"'#]+)([\"']?)", re.MULTILINE)


def amended(text: str, amendment: Amendment, *, version: str, path: str) -> str:
    """Return the contract with the amendment; raises ContractInvalid when it has no list of columns.

    Comments and layout stay as they are; a list written in one line (`[{...}]`) cannot be added to.
    """
    text = text if text.endswith("\n") else f"{text}\n"
    properties = _properties(text)
    if properties is None or properties.flow_style or not properties.value:
        raise ContractInvalid(
            path=path,
            line=1,
            field="schema[0].properties",
            problem="is not a list with one property below the other",
            cure="Write each property on a line of its own, beginning with a dash, or add the columns by hand.",
        )
    edits = Edits(text)
    dash = properties.start_mark.column
    for item in properties.value:
        name = str(getattr(_member(item, "name"), "value", ""))
        for remark in amendment.remarks.get(name, ()):
            edits.before(item, f"{' ' * dash}# {remark}")
        if name in amendment.shims:
            _add_shim(edits, item, amendment.shims[name])
    lines = [f"{' ' * dash}{line}".rstrip() for column in amendment.columns for line in column_lines(column)]
    edits.after(properties.value[-1], dash, lines)
    return _VERSION.sub(lambda found: f"{found[1]}{found[2]}{version}{found[4]}", edits.text(), count=1)


def _add_shim(edits: Edits, item: MappingNode, shim: Shim) -> None:
    custom = _member(item, "customProperties")
    entries = custom.value if isinstance(custom, SequenceNode) else ()
    ours = next((entry for entry in entries if getattr(_member(entry, "property"), "value", None) == NAME), None)
    value = _member(ours, "value")
    written = f"{{property: {NAME}, value: {{{', '.join(_settings(shim))}}}}}"
    if isinstance(value, MappingNode):
        _extend(edits, value, shim)
    elif isinstance(custom, SequenceNode):
        edits.append_item(custom, written)
    else:
        edits.add_member(item, f"customProperties: [{written}]")


def _extend(edits: Edits, value: MappingNode, shim: Shim) -> None:
    """Add to the settings that are there already."""
    names, cast = _member(value, "also_called"), _member(value, "cast")
    if isinstance(names, SequenceNode):
        for name in shim.also_called:
            edits.append_item(names, quoted(name))
    elif names is not None and shim.also_called:
        edits.replace(names, f"[{', '.join(quoted(name) for name in (str(names.value), *shim.also_called))}]")
    if cast is not None and shim.cast:
        edits.replace(cast, "true")
    there = {key.value for key, _ in value.value}
    for setting in _settings(shim):
        if setting.partition(":")[0] not in there:
            edits.add_member(value, setting)


def _settings(shim: Shim) -> list[str]:
    names = [f"also_called: [{', '.join(quoted(name) for name in shim.also_called)}]"] if shim.also_called else []
    return [*names, *(["cast: true"] if shim.cast else [])]


def _properties(text: str) -> SequenceNode | None:
    schema = _member(YAML().compose(text), "schema")
    table = schema.value[0] if isinstance(schema, SequenceNode) and schema.value else None
    found = _member(table, "properties")
    return found if isinstance(found, SequenceNode) else None


def _member(node: Node | None, name: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)
