"""Small insertions into YAML text at the nodes it was parsed to; everything else stays byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ruamel.yaml.nodes import MappingNode, Node, SequenceNode


class Edits:
    """Collects edits of one text, which ends with a line end; edits at one place stand in the order they came."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.splitlines(keepends=True)
        self._edits: list[tuple[int, int, str]] = []  # from, to, what stands there instead

    def text(self) -> str:
        pieces, reached = [], 0
        for start, end, new in sorted(self._edits, key=lambda edit: edit[0]):
            pieces += [self._text[reached:start], new]
            reached = end
        return "".join([*pieces, self._text[reached:]])

    def replace(self, node: Node, new: str) -> None:
        self._edits.append((node.start_mark.index, node.end_mark.index, new))

    def before(self, node: Node, line: str) -> None:
        """Insert a line above the one on which the node begins."""
        self._insert(self._start_of(node.start_mark.line), f"{line}\n")

    def after(self, node: Node, column: int, lines: Sequence[str]) -> None:
        """Insert lines below the last one of a node whose own lines are deeper than `column`."""
        below = self._last_line(node.start_mark.line, column) + 1
        self._insert(self._start_of(below), "".join(f"{line}\n" for line in lines))

    def add_member(self, node: MappingNode, member: str) -> None:
        if node.flow_style:
            self._append_in_brackets(node, member)
        else:
            column = node.value[0][0].start_mark.column
            self.after(node, column - 1, [f"{' ' * column}{member}"])

    def append_item(self, node: SequenceNode, item: str) -> None:
        if node.flow_style:
            self._append_in_brackets(node, item)
        else:
            column = node.start_mark.column
            self.after(node.value[-1], column, [f"{' ' * column}- {item}"])

    def _append_in_brackets(self, node: MappingNode | SequenceNode, new: str) -> None:
        end = node.end_mark.index - 1  # the bracket itself
        place = len(self._text[:end].rstrip())
        comma = ", " if node.value and self._text[place - 1] != "," else ""
        self._insert(place, f"{comma}{new}")

    def _insert(self, place: int, new: str) -> None:
        self._edits.append((place, place, new))

    def _start_of(self, line: int) -> int:
        return sum(len(text) for text in self._lines[:line])

    def _last_line(self, start: int, column: int) -> int:
        """Return the last line of what begins on line `start`: the lines after it that are deeper than `column`."""
        last = start
        for number in range(start + 1, len(self._lines)):
            line = self._lines[number]
            if line.strip() and len(line) - len(line.lstrip()) <= column:
                break
            last = number if line.strip() else last
        return last
