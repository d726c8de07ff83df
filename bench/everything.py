"""All benches, one after the other, and one table: `python -m bench.everything [--quick] [name ...]`."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.report import Line, read_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FOLDER = Path(__file__).parent
_VERSIONS = ("dagster", "duckdb", "pyarrow", "pyiceberg", "great-expectations")
_HEADINGS = ("", "what", "Sluice", "reference", "ratio", "target", "held")
_HELD = {True: "yes", False: "NO", None: "-"}


def benches() -> list[str]:
    """Return the modules of this folder that can be run, but for this one."""
    scripts = [file for file in _FOLDER.glob("*.py") if "__main__" in file.read_text() and file != Path(__file__)]
    return sorted(file.stem for file in scripts)


def run(name: str, *, quick: bool) -> tuple[list[Line], bool]:
    """Run one bench, show what it prints, and return its lines and whether it came to its end."""
    knows_quick = "--quick" in (_FOLDER / f"{name}.py").read_text()
    command = [sys.executable, "-u", "-m", f"bench.{name}", *(["--quick"] if quick and knows_quick else [])]
    print(f"== {name}", flush=True)
    lines, started = [], time.monotonic()
    with subprocess.Popen(command, cwd=_FOLDER.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for text in process.stdout:
            if (line := read_line(text)) is not None:
                lines.append(line)
            else:
                print(text, end="", flush=True)
    took = time.monotonic() - started
    print(f"== {name}: {took:.0f} s{'' if process.returncode == 0 else ', FAILED'}\n", flush=True)
    return lines, process.returncode == 0


def table(lines: Iterable[Line]) -> str:
    """Return it as Markdown: it goes into README.md as it is."""
    ordered = sorted(lines, key=lambda line: line.question)
    rows = [
        (str(item.question), item.what, item.sluice, item.reference, item.ratio, item.target, _HELD[item.held])
        for item in ordered
    ]
    rule = tuple("---" for _ in _HEADINGS)
    return "\n".join("| " + " | ".join(row) + " |" for row in (_HEADINGS, rule, *rows))


def machine() -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _VERSIONS)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({_processor()}), {platform.system()},"
        f" Python {platform.python_version()}, {versions}; load {load}"
    )


def _processor() -> str:
    try:
        info = Path("/proc/cpuinfo").read_text()
    except FileNotFoundError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller runs: to see that all of it works")
    parser.add_argument("names", nargs="*", help="these only", metavar="name")
    chosen = parser.parse_args(arguments)
    before = machine()
    found = {name: run(name, quick=chosen.quick) for name in chosen.names or benches()}
    print(before)
    print(table(line for lines, _ in found.values() for line in lines))
    broken = [name for name, (_, is_well) in found.items() if not is_well]
    if broken:
        print(f"These did not come to their end: {', '.join(broken)}. Run one alone: python -m bench.{broken[0]}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
