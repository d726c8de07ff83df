"""A contract file as plain values, each with the line it was written on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from sluice.errors import ContractInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

Step = str | int
Path = tuple[Step, ...]

_CORE = "tag:yaml.org,2002:"
_WHOLE = "the file"
_SCALAR_CURE = "Write text, a finite number, true or false, without a YAML tag; put text between quotes if in doubt."


@dataclass(frozen=True, slots=True)
class Document:
    """`value` is made of dict, list, str, int, bool, None and exact Decimals; dates stay text."""

    path: str
    value: dict[str, object]
    lines: Mapping[Path, int]

    def line_of(self, at: Path) -> int:
        """Return the line of the value at `at`, or of the nearest thing around it that was written."""
        while at not in self.lines:
            at = at[:-1]
        return self.lines[at]


def read_document(text: str, *, path: str) -> Document:
    """Parse one YAML mapping; raises ContractInvalid for anything else, and for what YAML would silently accept."""
    root = _compose(text, path)
    if not isinstance(root, MappingNode):
        raise ContractInvalid(
            path=path,
            line=_line(root) if root else 1,
            field=_WHOLE,
            problem="holds no mapping of fields" if root else "is empty",
            cure='Begin with "apiVersion: v3.2.0", "kind: DataContract" and "id: <dataset>".',
        )
    reader = _Reader(path, {})
    return Document(path, reader.mapping(root, (), ()), reader.lines)


def field_name(at: Path) -> str:
    """Return `schema[0].properties[2].name` for a path."""
    named = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at)
    return named.removeprefix(".") or _WHOLE


def _compose(text: str, path: str) -> Node | None:
    try:
        root: Node | None = YAML().compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _not_yaml(path, line, str(error.problem)) from error
    except YAMLError as error:  # a character that YAML forbids
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise _not_yaml(path, line, str(getattr(error, "reason", error))) from error
    return root


def _not_yaml(path: str, line: int, problem: str) -> ContractInvalid:
    return ContractInvalid(
        path=path,
        line=line,
        field=_WHOLE,
        problem=f"is not YAML here ({problem}).",
        cure="Check the indentation, brackets and quotes on this line and the one above; a file is one document.",
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    path: str
    lines: dict[Path, int]

    def mapping(self, node: MappingNode, at: Path, around: tuple[Node, ...]) -> dict[str, object]:
        self.lines[at] = _line(node)
        values: dict[str, object] = {}
        for key, value in node.value:
            name = self._name(key, at)
            here = (*at, name)
            if name in values:
                raise self._wrong(
                    key, here, f"is given twice, first on line {self.lines[here]}.", "Remove one of them."
                )
            values[name] = self._value(value, here, (*around, node))
            self.lines[here] = _line(key)
        return values

    def _name(self, key: Node, at: Path) -> str:
        if isinstance(key, ScalarNode) and key.tag == f"{_CORE}str":
            return str(key.value)
        cure = "Give each field a plain name; merge keys (<<) are not read, write the fields out."
        raise self._wrong(key, at, "has a field whose name is not text.", cure)

    def _value(self, node: Node, at: Path, around: tuple[Node, ...]) -> object:
        self.lines[at] = _line(node)
        if any(node is other for other in around):
            raise self._wrong(node, at, "holds itself through an alias.", "Write the fields out.")
        if isinstance(node, MappingNode) and node.tag == f"{_CORE}map":
            return self.mapping(node, at, around)
        if isinstance(node, SequenceNode) and node.tag == f"{_CORE}seq":
            return [self._value(item, (*at, i), (*around, node)) for i, item in enumerate(node.value)]
        return self._scalar(node, at)

    def _scalar(self, node: Node, at: Path) -> object:
        try:
            return _scalar(str(node.tag).removeprefix(_CORE), str(node.value))
        except (ArithmeticError, ValueError) as error:
            raise self._wrong(node, at, "is not a value that can be read.", _SCALAR_CURE) from error

    def _wrong(self, node: Node, at: Path, problem: str, cure: str) -> ContractInvalid:
        return ContractInvalid(path=self.path, line=_line(node), field=field_name(at), problem=problem, cure=cure)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _scalar(tag: str, text: str) -> object:
    match tag:
        case "str" | "timestamp":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text, 0 if text.lstrip("+-")[:2] in {"0x", "0o"} else 10)
        case "float":
            return Decimal(text)  # fails on .inf and .nan, which no field can use
        case _:
            raise ValueError(tag)
