"""Sizes of network file systems, asked for in threads: a dead server must not stop the agent."""

import os
import threading
from collections.abc import Callable

from fleetkeeper_agent.collectors.disk import PartitionUsage
from fleetkeeper_agent.platforms.linux.mounts import Mount, usage_from

PATIENCE_SECONDS = 0.2
MOST_WAITING = 16


class SlowMounts:
    """Asks each mount in a thread and waits a little; a mount that hangs is not asked twice."""

    def __init__(
        self, statvfs: Callable[[str], os.statvfs_result], patience: float = PATIENCE_SECONDS
    ) -> None:
        self._statvfs = statvfs
        self._patience = patience
        self._waiting: dict[str, threading.Thread] = {}

    def usage(self, mount: Mount) -> tuple[PartitionUsage | None, str | None]:
        """The sizes, or why there are none."""
        waiting = self._waiting.get(mount.mountpoint)
        if waiting is not None:
            if waiting.is_alive():
                return None, "the file system does not answer"
            del self._waiting[mount.mountpoint]
        if len(self._waiting) >= MOST_WAITING:
            return None, "too many other file systems do not answer"
        answer: list[os.statvfs_result | OSError] = []
        thread = threading.Thread(target=self._ask, args=(mount.mountpoint, answer), daemon=True)
        thread.start()
        thread.join(self._patience)
        if thread.is_alive():
            self._waiting[mount.mountpoint] = thread
            return None, "the file system does not answer"
        found = answer[0]
        if isinstance(found, OSError):
            return None, f"the file system answers: {found.strerror}"
        return usage_from(mount, found), None

    def _ask(self, mountpoint: str, answer: list[os.statvfs_result | OSError]) -> None:
        try:
            answer.append(self._statvfs(mountpoint))
        except OSError as error:
            answer.append(error)
