"""Date and time formats: from the Java letters that the standard uses to what DuckDB's strptime reads."""

from __future__ import annotations

import re

from sluice.contract_file.place import Problem

LETTERS = {
    "yyyy": "%Y",
    "uuuu": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "DDD": "%j",
    "EEEE": "%A",
    "EEE": "%a",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
    "SSSSSS": "%f",
    "a": "%p",
    "xx": "%z",
    "xxx": "%z",
    "Z": "%z",
}
_PIECE = re.compile(r"'(?P<quoted>[^']*)'|(?P<letters>([A-Za-z])\3*)|(?P<other>[^A-Za-z'])")
_YEARS, _MONTHS, _DAYS, _HALF_DAY_HOURS = {"%Y", "%y"}, {"%m", "%-m", "%b", "%B"}, {"%d", "%-d"}, {"%I", "%-I"}


def strptime_format(text: str) -> str | Problem:
    """Return the strptime pattern for `dd/MM/yyyy HH:mm:ss`, or why there is none."""
    found: list[str] = []
    end = 0
    for piece in _PIECE.finditer(text):
        if piece.start() != end:
            break
        end = piece.end()
        if piece["letters"] and piece["letters"] not in LETTERS:
            return _unknown(piece["letters"])
        found.append(_strptime_piece(piece))
    if end != len(text):
        return Problem("has a quote that is not closed", "Close it; two quotes '' stand for one.")
    return _incomplete(set(found)) or "".join(found)


def has_offset(strptime: str) -> bool:
    """Whether values in this format say which zone they are in."""
    return "%z" in strptime.replace("%%", "")


def has_time(strptime: str) -> bool:
    return bool(re.search("%-?[HIMSgfpz]", strptime.replace("%%", "")))


def _strptime_piece(piece: re.Match[str]) -> str:
    if piece["letters"]:
        return LETTERS[piece["letters"]]
    if piece["quoted"] is not None:
        return piece["quoted"].replace("%", "%%") or "'"
    return "%%" if piece["other"] == "%" else str(piece["other"])


def _unknown(letters: str) -> Problem:
    if letters.startswith("X"):
        return Problem(
            f'has the letters "{letters}", which allow Z for UTC',
            "Leave the format out for ISO 8601 values (2026-11-01T10:00:00Z), or use xxx for offsets such as +01:00.",
        )
    known = " ".join(LETTERS)
    return Problem(f'has the letters "{letters}"', f"Known: {known}; put other text between single quotes.")


def _incomplete(found: set[str]) -> Problem | None:
    """Say what is missing, because strptime silently puts 1900-01-01 in its place."""
    if not found & _YEARS or not (("%j" in found) or (found & _MONTHS and found & _DAYS)):
        return Problem("does not name a whole date", "A format has a year, a month and a day: dd/MM/yyyy.")
    if found & _HALF_DAY_HOURS and "%p" not in found:
        return Problem("has a 12-hour clock without AM or PM", "Add a (AM or PM), or use HH for 0 to 23.")
    return None
