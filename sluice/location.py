"""Where the raw objects of one dataset are: a pattern such as `orders/date={date}/*.jsonl.gz`, read both ways."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from sluice.errors import LandingRefused, LocationInvalid

_PLACEHOLDER = re.compile(r"\{date(?::(?P<format>[^{}]+))?\}")
_DATE_PARTS = re.compile("YYYY|MM|dd")
_PART_REGEX = {"YYYY": "[0-9]{4}", "MM": "[0-9]{2}", "dd": "[0-9]{2}"}
_GLOB = re.compile(r"\*\*/|\*\*|\*")
_GLOB_REGEX = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*"}


@dataclass(frozen=True)
class Location:
    """A pattern over keys of the raw zone. Build it with `Location.parse`.

    `{date}` stands for YYYY-MM-DD, `{date:YYYY/MM/dd}` for the date written as the format says; `*` stands for
    characters of one path part, `**` for any number of whole parts.
    """

    pattern: str

    @classmethod
    def parse(cls, pattern: str) -> Location:
        """Return the location; raises LocationInvalid with the cure."""
        _check_path(pattern)
        _check_dates(pattern)
        _check_globs(pattern)
        return cls(pattern)

    @cached_property
    def root(self) -> str:
        """The constant folder, with its final `/`, below which all partitions are."""
        return _folder_before_globs(_PLACEHOLDER.sub("*", self.pattern))

    def key_prefix(self, partition: str) -> str:
        """Return the constant folder below which this partition is; it may hold others, which `partition_of` tells."""
        return _folder_before_globs(self._on(partition))

    def partition_of(self, key: str) -> str | None:
        """Return the partition an object belongs to, or None when the key is none of this location's."""
        match = self._regex.fullmatch(key)
        if match is None or key.rpartition("/")[2].startswith((".", "_")):
            return None
        try:
            return date(int(match["YYYY"]), int(match["MM"]), int(match["dd"])).isoformat()
        except ValueError:
            return None

    def key_for(self, partition: str, file_name: str) -> str:
        """Return the key under which a file lands; raises LandingRefused when the pattern would not find it there."""
        folder, _, last = self._on(partition).rpartition("/")
        folder = f"{folder}/".replace("**/", "")
        key = folder + file_name
        if "*" in folder:
            raise LandingRefused(
                f'The location "{self.pattern}" leaves the folder open, so there is no one place for {file_name}.',
                cure="Put the file into the raw zone yourself, into a folder that the location matches.",
            )
        if "/" in file_name or self.partition_of(key) != partition:
            raise LandingRefused(
                f'The file name "{file_name}" does not fit the location "{self.pattern}" for {partition}.',
                cure=f'Rename the file so that it matches "{last}" and does not begin with "." or "_".',
            )
        return key

    @property
    def has_open_name(self) -> bool:
        """Whether more than one file of a date finds room in one folder."""
        return "*" in self.pattern.rpartition("/")[2]

    def file_name(self, partition: str, stem: str) -> str | None:
        """Return the name that the pattern gives a file called `stem`, None if it says nothing about names."""
        last = self._on(partition).rpartition("/")[2]
        return None if last in {"*", "**"} else last.replace("*", stem, 1).replace("*", "")

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        seen: set[str] = set()
        pieces = re.split(rf"({_PLACEHOLDER.pattern.replace('?P<format>', '?:')}|{_GLOB.pattern})", self.pattern)
        return re.compile("".join(_piece_regex(piece, seen) for piece in pieces))

    def _on(self, partition: str) -> str:
        year, month, day = partition.split("-")
        parts = {"YYYY": year, "MM": month, "dd": day}

        def written(match: re.Match[str]) -> str:
            return _DATE_PARTS.sub(lambda part: parts[part[0]], _format_of(match))

        return _PLACEHOLDER.sub(written, self.pattern)


def _format_of(match: re.Match[str]) -> str:
    return match["format"] or "YYYY-MM-dd"


def _piece_regex(piece: str, seen: set[str]) -> str:
    if piece in _GLOB_REGEX:
        return _GLOB_REGEX[piece]
    placeholder = _PLACEHOLDER.fullmatch(piece)
    if placeholder is None:
        return re.escape(piece)
    parts = re.split(f"({_DATE_PARTS.pattern})", _format_of(placeholder))
    return "".join(_date_part_regex(part, seen) for part in parts)


def _date_part_regex(part: str, seen: set[str]) -> str:
    """A date that is written twice (in the folder and in the file name) must say the same both times."""
    if part not in _PART_REGEX:
        return re.escape(part)
    if part in seen:
        return f"(?P={part})"
    seen.add(part)
    return f"(?P<{part}>{_PART_REGEX[part]})"


def _folder_before_globs(text: str) -> str:
    return text[: text.find("*")].rpartition("/")[0] + "/" if "*" in text else text.rpartition("/")[0] + "/"


def _check_path(pattern: str) -> None:
    if "://" in pattern:
        raise LocationInvalid(
            pattern=pattern,
            problem="is a URL, but type local means a folder of this machine's raw zone",
            cure='Write the path below the raw zone, such as "orders/date={date}/*.jsonl".',
        )
    parts = pattern.split("/")
    if pattern.startswith("/") or any(part in {"", ".", ".."} for part in parts) or "\\" in pattern:
        raise LocationInvalid(
            pattern=pattern,
            problem="is not a plain path below the raw zone",
            cure='Begin with a folder and leave out "/" at either end, empty parts, ".", ".." and backslashes.',
        )
    if len(parts) < 2 or "*" in parts[0] or "{" in parts[0]:  # noqa: PLR2004 - a folder and a file
        raise LocationInvalid(
            pattern=pattern,
            problem="does not begin with a constant folder",
            cure='Begin with a folder that holds only this dataset, such as "orders/".',
        )


def _check_dates(pattern: str) -> None:
    placeholders = list(_PLACEHOLDER.finditer(pattern))
    rest = _PLACEHOLDER.sub("", pattern)
    if "{" in rest or "}" in rest:
        raise LocationInvalid(
            pattern=pattern,
            problem="has braces that are not a date",
            cure="Write {date} for 2026-11-01, or {date:YYYY/MM/dd} for 2026/11/01.",
        )
    if not placeholders:
        raise LocationInvalid(
            pattern=pattern,
            problem="has no date, so no partition can be told from a key",
            cure="Put {date} (2026-11-01) or {date:YYYY/MM/dd} (2026/11/01) where the date is.",
        )
    for placeholder in placeholders:
        _check_date_format(pattern, _format_of(placeholder))


def _check_date_format(pattern: str, date_format: str) -> None:
    letters = _DATE_PARTS.sub("", date_format)
    if sorted(_DATE_PARTS.findall(date_format)) != ["MM", "YYYY", "dd"] or re.search(r"[A-Za-z0-9*]", letters):
        raise LocationInvalid(
            pattern=pattern,
            problem=f'has the date format "{date_format}"',
            cure="A date format holds YYYY, MM and dd once each, with any separators: {date:YYYY/MM/dd}.",
        )


def _check_globs(pattern: str) -> None:
    if re.search(r"[?\[\]]", pattern) or any("**" in part and part != "**" for part in pattern.split("/")):
        raise LocationInvalid(
            pattern=pattern,
            problem="has a wildcard that Sluice does not know",
            cure='Use "*" for characters of one path part and "**" alone between slashes for any number of parts.',
        )
