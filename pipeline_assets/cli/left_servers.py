"""Servers that a killed `sluice up` left at work: they hold its port, and their runs nobody watches."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

from pipeline_assets.cli.servers import group_exists, kill_group
from resources.workers import Workers
from sluice.healing.worker import Worker

_POLL_SECONDS = 0.1
_DEATH_SECONDS = 10


def note_servers(path: Path, groups: Iterable[int], workers: Workers) -> None:
    """Write down who has to end before another service begins; the leader of a group has its number."""
    here = workers.mine()
    found = [workers.find(group) or Worker(group, here.host, here.boot) for group in groups]
    written = path.with_name(f".{path.name}.{os.getpid()}")  # by rename: a kill leaves the old list or the new one
    written.write_text(json.dumps([str(leader) for leader in found]))
    written.replace(path)


def end_left_servers(path: Path, workers: Workers) -> int:
    """Kill what an earlier service left, and wait until it is gone; the caller holds the lock of the service."""
    noted = [Worker.parse(text) for text in json.loads(path.read_text())] if path.exists() else []
    left = [leader.pid for leader in noted if _is_left(leader, workers)]
    for group in left:
        kill_group(group)
    until = time.monotonic() + _DEATH_SECONDS
    while any(workers.is_alive(Worker(pid)) for pid in left) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    return len(left)


def _is_left(leader: Worker, workers: Workers) -> bool:
    """Its leader lives, or has died before its group: while a group lives, its number is given to nobody else."""
    here = workers.mine()
    if (leader.host, leader.boot) != (here.host, here.boot) or not group_exists(leader.pid):
        return False
    return bool(workers.is_alive(leader)) or workers.is_alive(Worker(leader.pid)) is False
