"""What systemd is told, where it asked to be: that the service is up, alive, ending."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Systemd:
    """Who started the process, by the address of NOTIFY_SOCKET; where that is empty, nobody is told.

    The protocol is sd_notify(3)'s: a datagram of `NAME=value` lines. Nothing here raises or waits: systemd itself
    notices what it was not told, and starts the service anew.
    """

    address: str = ""  # a path; with @ at its beginning, an abstract one

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Systemd":
        """Reads NOTIFY_SOCKET, which a unit of `Type=notify` has."""
        return cls(environ.get("NOTIFY_SOCKET", ""))

    def ready(self) -> None:
        """Tells that the service is up."""
        self._tell("READY=1")

    def alive(self, status: str = "") -> None:
        """Tells that it is alive; where it is not told so for WatchdogSec=, systemd ends the service.

        `status` is what is going on in one line, which `systemctl status` shows.
        """
        self._tell("\n".join(("WATCHDOG=1", *([f"STATUS={' '.join(status.split())}"] if status else ()))))

    def stopping(self) -> None:
        """Tells that it is ending."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        if not self.address:
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), socket.MSG_DONTWAIT, address)
