"""Texts made from a pattern match it, and different numbers give different texts."""

from __future__ import annotations

import re
from random import Random

import pytest

from sluice.errors import GenerationRefused
from sluice.generating.pattern import CountingChooser, RandomChooser, parse_pattern

PATTERNS = [
    "^[A-Z]{3}$",
    r"^\d+$",
    "^(?:cat|dog)-[0-9a-f]{2,4}$",
    r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
    r"^\+?[0-9 ]{3,9}\.?x*$",
    r"\A[\w.-]{4}\z",
    "^a.c?$",
    r"^[]a\]]{2}$",
    "^$|^[a-f]+?$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_texts_match_their_pattern(pattern: str) -> None:
    node, random = parse_pattern(pattern), Random(1)

    texts = [node.text(RandomChooser(random)) for _ in range(200)]

    assert [text for text in texts if not re.search(pattern.replace(r"\z", r"\Z"), text)] == []


@pytest.mark.parametrize("pattern", PATTERNS[:6])
def test_numbers_give_different_texts(pattern: str) -> None:
    node = parse_pattern(pattern)
    numbers = range(min(node.size, 500))

    assert len({node.text(CountingChooser(number)) for number in numbers}) == len(numbers)


def test_the_size_of_a_pattern_is_the_number_of_its_texts() -> None:
    assert parse_pattern("^[A-Z]{3}-[01]$").size == 26**3 * 2


@pytest.mark.parametrize(
    "pattern", ["(?i)a", "[[:alpha:]]", r"\bx", "a)", "(a", "[a", "*a", r"\p{L}", "(?=x)"], ids=str
)
def test_what_it_cannot_match_is_refused(pattern: str) -> None:
    with pytest.raises(GenerationRefused, match="cannot make up texts"):
        parse_pattern(pattern)
