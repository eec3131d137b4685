"""Tells whoever started this process that it is ready and lives: systemd's protocol, sd_notify(3)."""

import contextlib
import os
import socket

from fleetkeeper.kit.periodic import Periodic

ADDRESS_VARIABLE = "NOTIFY_SOCKET"
BEAT_SECONDS = 2.0


def heartbeat() -> Periodic:
    """Beats from the event loop that it is started on, so that a loop which is stuck falls silent."""
    return Periodic("heartbeat", BEAT_SECONDS, _beat)


async def _beat() -> None:
    address = os.environ.get(ADDRESS_VARIABLE, "")
    if not address:
        return
    # Nobody listens when the one who started us is gone or busy; that is no reason to stop working.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(b"READY=1\nWATCHDOG=1", address.replace("@", "\0", 1) if address[0] == "@" else address)


class Listener:
    """The other end: an address to hand to a child process, and whether anything came from there."""

    def __init__(self, name: str) -> None:
        # In the kernel's own name space: there is no file to clean up, and no path that could be too long.
        self.address = f"@{name}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.bind(f"\0{name}")
        self._socket.setblocking(False)

    def has_beaten(self) -> bool:
        """Whether there was a beat since the last call."""
        beaten = False
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(256):
                beaten = True
        return beaten

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()
