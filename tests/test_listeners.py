"""What tests find of processes that listen."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from tests.listeners import descendants_of, listeners_of

LISTENS = """
import socket
server = socket.create_server(("127.0.0.2", 0))
print(server.getsockname()[1], flush=True)
input()
"""


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.2"), (socket.AF_INET6, "::1")], ids=["IPv4", "IPv6"]
)
def test_who_listens_is_found_with_the_address(family: socket.AddressFamily, address: str) -> None:
    with socket.create_server((address, 0), family=family) as server:
        port = server.getsockname()[1]

        assert listeners_of([os.getpid()])[port] == {address}


def test_a_child_that_listens_is_found() -> None:
    with subprocess.Popen([sys.executable, "-c", LISTENS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())

        found = listeners_of(descendants_of(os.getpid()))
        mine = listeners_of([os.getpid()])
        child.communicate(b"\n")

    assert found[port] == {"127.0.0.2"}
    assert port not in mine
