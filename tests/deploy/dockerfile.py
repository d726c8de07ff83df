"""A Dockerfile as data, and its commands outside a container, below a folder that stands for the image's root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.deploy.templates import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = CHECKOUT / "deploy" / "aws" / "Dockerfile"

_ROOTS = re.compile(r"(?<![\w./])/(venv|build|app|dagster|sluice)(?![\w-])")


@dataclass(frozen=True)
class Instruction:
    name: str
    text: str

    @property
    def from_context(self) -> list[str]:
        """What COPY takes from the checkout; nothing if it takes it from another stage."""
        return [] if self.text.startswith("--from") else self.text.split()[:-1]


def read() -> list[Instruction]:
    lines = [line for line in FILE.read_text().splitlines() if line and not line.startswith("#")]
    return [Instruction(*line.split(maxsplit=1)) for line in lines]


@dataclass(frozen=True)
class Image:
    root: Path

    def build(self) -> None:
        """Do what the instructions say. Packages that the tests have already are taken from there, by version."""
        for instruction in read():
            if instruction.name == "COPY":
                self._copy(instruction)
            if instruction.name == "RUN":
                self.run(instruction.text)
                self._lend_packages()

    def run(self, command: str, **environ: str) -> str:
        done = subprocess.run(
            ["sh", "-euc", self.inside(command)],
            env={**self._environ, **environ},
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, command + done.stdout + done.stderr
        return done.stdout

    def inside(self, command: str) -> str:
        return _ROOTS.sub(lambda found: f"{self.root}{found[0]}", command)

    @property
    def _environ(self) -> dict[str, str]:
        """What an image has, and stand-ins for the two commands that only root may give."""
        stubs = self.root / "stubs"
        stubs.mkdir(parents=True, exist_ok=True)
        for name in ("useradd", "chown"):
            (stubs / name).write_text("#!/bin/sh\n")
            (stubs / name).chmod(0o755)
        path = os.pathsep.join([str(stubs), sysconfig.get_path("scripts"), "/usr/bin", "/bin"])
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        return {"HOME": str(self.root), **pip, **self._said(path)}

    def _said(self, path: str) -> dict[str, str]:
        pairs = [pair.partition("=") for item in read() if item.name == "ENV" for pair in item.text.split()]
        return {name: self.inside(value).replace("$PATH", path) for name, _, value in pairs}

    def _copy(self, instruction: Instruction) -> None:
        *_, target = instruction.text.split()
        for name in instruction.from_context:
            source, into = CHECKOUT / name, Path(self.inside(target))
            if source.is_dir():
                shutil.copytree(source, into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, into)

    def _lend_packages(self) -> None:
        for folder in (self.root / "venv" / "lib").glob("python*/site-packages"):
            (folder / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")


def stages() -> Iterator[str]:
    yield from (item.text for item in read() if item.name == "FROM")
