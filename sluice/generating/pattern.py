"""Texts that match a regular expression: the common part of RE2 (literals, classes, groups, alternatives, counts)."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Protocol

from sluice.errors import GenerationRefused

if TYPE_CHECKING:
    from random import Random

_MOST_REPEATS = 8
"""How many more than asked for `*`, `+` and `{2,}` give."""

_CLASSES = {
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_",
    "s": " ",
    "D": string.ascii_letters,
    "W": "-.",
    "S": string.ascii_letters + string.digits,
}
_ANY = string.ascii_letters + string.digits
_COUNT = re.compile(r"\{(\d+)(,(\d*))?\}")
_POSSIBLE = "".join(chr(code) for code in range(0x20, 0x7F))


class Chooser(Protocol):
    def below(self, limit: int) -> int: ...
    def between(self, least: int, most: int) -> int: ...


@dataclass(frozen=True, slots=True)
class RandomChooser:
    random: Random

    def below(self, limit: int) -> int:
        return self.random.randrange(limit)

    def between(self, least: int, most: int) -> int:
        return self.random.randint(least, most)


@dataclass(slots=True)
class CountingChooser:
    """Spells one number in the choices: different numbers below the number of all texts give different choices."""

    number: int

    def below(self, limit: int) -> int:
        self.number, digit = divmod(self.number, limit)
        return digit

    def between(self, least: int, most: int) -> int:  # noqa: ARG002
        # Texts of one length: of several, two numbers could spell the same one where repeats follow each other.
        return most


class Node(Protocol):
    @property
    def size(self) -> int:
        """How many different texts counting can make."""

    def text(self, choose: Chooser) -> str: ...


@dataclass(frozen=True, slots=True)
class _One:
    characters: str

    @property
    def size(self) -> int:
        return len(self.characters)

    def text(self, choose: Chooser) -> str:
        return self.characters[choose.below(len(self.characters))]


@dataclass(frozen=True, slots=True)
class _All:
    parts: tuple[Node, ...]

    @property
    def size(self) -> int:
        return reduce(lambda size, part: size * part.size, self.parts, 1)

    def text(self, choose: Chooser) -> str:
        return "".join(part.text(choose) for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Either:
    branches: tuple[Node, ...]

    @property
    def size(self) -> int:
        # The choice of the branch is one digit, so each branch has room for as many texts as the smallest.
        return len(self.branches) * min(branch.size for branch in self.branches)

    def text(self, choose: Chooser) -> str:
        return self.branches[choose.below(len(self.branches))].text(choose)


@dataclass(frozen=True, slots=True)
class _Repeated:
    part: Node
    least: int
    most: int

    @property
    def size(self) -> int:
        return int(self.part.size**self.most)

    def text(self, choose: Chooser) -> str:
        return "".join(self.part.text(choose) for _ in range(choose.between(self.least, self.most)))


def parse_pattern(pattern: str) -> Node:
    """Return what makes matching texts; raises GenerationRefused for a pattern it does not know how to match."""
    reader = _Reader(pattern)
    node = reader.alternatives()
    if reader.at < len(pattern):
        raise _unknown(pattern)
    return node


def _unknown(pattern: str) -> GenerationRefused:
    return GenerationRefused(
        f'Sluice cannot make up texts for the pattern "{pattern}".',
        cure="Write it with plain classes, groups, alternatives and counts, or give the column an enum.",
    )


@dataclass(slots=True)
class _Reader:
    pattern: str
    at: int = 0

    def alternatives(self) -> Node:
        branches = [self._series()]
        while self._take("|"):
            branches.append(self._series())
        return branches[0] if len(branches) == 1 else _Either(tuple(branches))

    def _series(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            atom = self._atom()
            if atom is not None:
                parts.append(self._counted(atom))
        return _All(tuple(parts))

    def _atom(self) -> Node | None:
        character = self._next()
        match character:
            case "^" | "$":
                return None
            case "(":
                return self._group()
            case "[":
                return _One(self._class())
            case ".":
                return _One(_ANY)
            case "\\":
                return self._escaped()
            case "*" | "+" | "?" | "{":
                raise _unknown(self.pattern)
            case _:
                return _One(character)

    def _group(self) -> Node:
        if self._take("?") and not self._take(":"):
            raise _unknown(self.pattern)
        node = self.alternatives()
        if not self._take(")"):
            raise _unknown(self.pattern)
        return node

    def _escaped(self) -> Node | None:
        letter = self._next()
        if letter in "Az":
            return None
        return _One(self._characters_of(letter))

    def _characters_of(self, letter: str) -> str:
        if letter.isalnum() and letter not in _CLASSES:
            raise _unknown(self.pattern)
        return _CLASSES.get(letter, letter)

    def _class(self) -> str:
        negated = self._take("^")
        found = ""
        while not self._take("]") or not found:
            first = self._next()
            if first == "[":
                raise _unknown(self.pattern)  # POSIX classes such as [:alpha:]
            characters = self._characters_of(self._next()) if first == "\\" else first
            if self.pattern[self.at : self.at + 1] == "-" and self.pattern[self.at + 1 : self.at + 2] not in {"]", ""}:
                self._next()
                characters = "".join(chr(code) for code in range(ord(characters), ord(self._next()) + 1))
            found += characters
        return "".join(c for c in _POSSIBLE if c not in found) if negated else "".join(dict.fromkeys(found))

    def _counted(self, atom: Node) -> Node:
        if self._take("?"):
            counted: Node = _Repeated(atom, 0, 1)
        elif self._take("*"):
            counted = _Repeated(atom, 0, _MOST_REPEATS)
        elif self._take("+"):
            counted = _Repeated(atom, 1, 1 + _MOST_REPEATS)
        elif (count := _COUNT.match(self.pattern, self.at)) is not None:
            self.at = count.end()
            least = int(count[1])
            most = least if count[2] is None else int(count[3]) if count[3] else least + _MOST_REPEATS
            counted = _Repeated(atom, least, most)
        else:
            return atom
        self._take("?")  # lazy or greedy, the texts are the same
        return counted

    def _next(self) -> str:
        if self.at >= len(self.pattern):
            raise _unknown(self.pattern)
        self.at += 1
        return self.pattern[self.at - 1]

    def _take(self, character: str) -> bool:
        taken = self.pattern[self.at : self.at + 1] == character
        self.at += taken
        return taken
