"""The process that executes a run, told apart from a later one that was given the same number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Worker:
    """What is not known is empty: of the runs it launches itself, Dagster tells the number alone.

    `boot` names one uptime of the machine, `started` the moment the process began, both in the system's own words.
    """

    pid: int
    host: str = ""
    boot: str = ""
    started: str = ""

    def __str__(self) -> str:
        return "/".join((str(self.pid), self.host, self.boot, self.started))

    @classmethod
    def parse(cls, text: str) -> Worker:
        """Read what `str` wrote; raises ValueError on anything else."""
        pid, host, boot, started = text.split("/", maxsplit=3)
        return cls(int(pid), host, boot, started)
