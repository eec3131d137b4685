"""Uptime, processes and login sessions from `/proc`, utmp and systemd-logind."""

import os
from collections.abc import Callable, Iterable

import psutil

from fleetkeeper_agent.collectors.collector import States, UnavailableError
from fleetkeeper_agent.host_files import HostRoots, read_or_none, read_small, sorted_children
from fleetkeeper_agent.hostile_text import clean
from fleetkeeper_agent.platforms.power import power_states
from fleetkeeper_protocol.messages import LoginSession

MICROSECONDS = 1_000_000


def parse_logind_session(data: bytes) -> LoginSession | None:
    """Read a session file of systemd-logind; None for what is no login of a person (greeters, services)."""
    fields: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").split("\n"):
        key, separator, value = line.partition("=")
        if separator:
            fields[key] = value
    if fields.get("CLASS") not in {"user", "user-early", "user-light"} or fields.get("STATE") == "closing":
        return None
    started = fields.get("REALTIME", "")
    if not fields.get("USER") or not started.isdigit():
        return None
    return LoginSession(
        username=clean(fields["USER"]),
        started_at=int(started[:18]) / MICROSECONDS,
        terminal=clean(fields.get("TTY", "") or fields.get("DISPLAY", "")),
        host=clean(fields.get("REMOTE_HOST", "")),
    )


def from_psutil(users: Iterable[psutil._ntp.suser]) -> list[LoginSession]:
    """Sessions as psutil tells them."""
    return [
        LoginSession(
            username=clean(user.name),
            started_at=float(user.started),
            terminal=clean(user.terminal or ""),
            host=clean(user.host or ""),
        )
        for user in users
    ]


class LinuxSystem:
    """Reads the state of the system."""

    def __init__(
        self, roots: HostRoots, users: Callable[[], Iterable[psutil._ntp.suser]] = psutil.users
    ) -> None:
        self._roots = roots
        self._users = users

    def uptime_seconds(self) -> float:
        """Time since the machine started."""
        return float(read_small(self._roots.proc / "uptime").split()[0])

    def process_count(self) -> int:
        """Number of processes."""
        return sum(name.isdigit() for name in os.listdir(self._roots.proc))  # noqa: PTH208 - names are enough

    def states(self) -> States:
        """What the machine lives on, where it has a battery; on Debian's kin, whether it waits to be restarted."""
        states = power_states()
        if (self._roots.etc / "debian_version").exists():
            states["system_reboot_required"] = (self._roots.run / "reboot-required").exists()
        return states

    def sessions(self) -> list[LoginSession]:
        """Who is logged in: from utmp, and where a distribution has none any more, from systemd-logind."""
        if (self._roots.run / "utmp").exists():
            return from_psutil(self._users())
        directory = self._roots.run / "systemd/sessions"
        if not directory.is_dir() or not (self._roots.run / "systemd/system").is_dir():
            raise UnavailableError("neither utmp nor systemd-logind keeps track of logins on this machine")
        files = (entry for entry in sorted_children(directory) if not entry.name.endswith(".ref"))
        found = (parse_logind_session(read_or_none(entry) or b"") for entry in files)
        return [session for session in found if session is not None]
