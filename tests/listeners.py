"""Which addresses processes of this machine listen on, as Linux tells it."""

from __future__ import annotations

import os
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PROCESSES = Path("/proc")
_LISTENS = "0A"
_WORD = 4  # an address is written in words, each with its last byte first


def listeners_of(processes: Iterable[int]) -> dict[int, set[str]]:
    """Return the addresses that each port is listened on, over TCP."""
    inodes = {inode for process in processes for inode in _sockets(process)}
    found: dict[int, set[str]] = {}
    for address, port, inode in _listening():
        if inode in inodes:
            found.setdefault(port, set()).add(str(address))
    return found


def descendants_of(process: int) -> set[int]:
    """Return the process and all that it and its children have started and that are still there."""
    parents = dict(_parents())
    found = {process}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for path in _PROCESSES.glob("[0-9]*/stat"):
        text = _text(path)
        if text:
            yield int(path.parent.name), int(text.rpartition(")")[2].split()[1])


def _sockets(process: int) -> Iterator[str]:
    try:
        names = os.listdir(_PROCESSES / str(process) / "fd")  # noqa: PTH208  names are all that is needed
    except OSError:  # it has just ended
        return
    for name in names:
        try:
            target = os.readlink(_PROCESSES / str(process) / "fd" / name)  # noqa: PTH115  no path: socket:[123]
        except OSError:
            continue
        if target.startswith("socket:["):
            yield target.removeprefix("socket:[").removesuffix("]")


def _listening() -> Iterator[tuple[IPv4Address | IPv6Address, int, str]]:
    for name in ("tcp", "tcp6"):
        for line in _text(_PROCESSES / "net" / name).splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENS:
                address, _, port = fields[1].partition(":")
                yield _address(bytes.fromhex(address)), int(port, 16), fields[9]


def _address(words: bytes) -> IPv4Address | IPv6Address:
    turned = b"".join(words[at : at + _WORD][::-1] for at in range(0, len(words), _WORD))
    family = socket.AF_INET if len(turned) == _WORD else socket.AF_INET6
    return ip_address(socket.inet_ntop(family, turned))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
