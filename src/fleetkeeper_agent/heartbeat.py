"""Tells whoever started the agent that it lives: systemd's protocol, sd_notify(3)."""

import contextlib
import os
import socket

ADDRESS_VARIABLE = "NOTIFY_SOCKET"
# Whoever listens waits for several of them.
BEAT_SECONDS = 10.0


def beat() -> None:
    """Send a beat, if anybody listens. Who is gone or busy is no reason to stop measuring."""
    address = os.environ.get(ADDRESS_VARIABLE, "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(b"READY=1\nWATCHDOG=1", address)
