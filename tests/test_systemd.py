import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from guard.systemd import Systemd


@contextmanager
def manager(address: str) -> Iterator[socket.socket]:
    """What systemd listens with."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        receiver.settimeout(5)
        yield receiver


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_systemd_is_told_that_the_service_is_up_alive_and_ending(tmp_path: Path, kind: str) -> None:
    name = f"{tmp_path}/notify"
    with manager(name if kind == "path" else f"\0{name}") as receiver:
        systemd = Systemd.from_environ({"NOTIFY_SOCKET": name if kind == "path" else f"@{name}"})
        systemd.ready()
        systemd.alive()
        systemd.alive("3 cycles,\nthe last 1 s ago")
        systemd.stopping()
        assert [receiver.recv(100) for _ in range(4)] == [
            b"READY=1",
            b"WATCHDOG=1",
            b"WATCHDOG=1\nSTATUS=3 cycles, the last 1 s ago",
            b"STOPPING=1",
        ]


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}])
def test_where_nobody_asked_nobody_is_told(environ: dict[str, str]) -> None:
    systemd = Systemd.from_environ(environ)
    assert systemd == Systemd()
    systemd.ready()


def test_a_socket_that_is_gone_or_cannot_be_is_no_reason_to_fail(tmp_path: Path) -> None:
    for address in (f"{tmp_path}/gone", "x" * 500, "vsock:2:1234"):
        Systemd(address).ready()


def test_a_systemd_that_does_not_listen_is_not_waited_for(tmp_path: Path) -> None:
    with manager(f"{tmp_path}/notify") as receiver:
        for _ in range(2_000):  # more than wait in any socket
            Systemd(f"{tmp_path}/notify").alive()
        assert receiver.recv(100) == b"WATCHDOG=1"
