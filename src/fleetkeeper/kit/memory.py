"""Gives memory that is free inside this process back to the system; the C library and pyarrow keep it by themselves."""

import contextlib
import ctypes
import sys
from collections.abc import Callable

import psutil

from fleetkeeper.kit.periodic import Periodic

LOOK_SECONDS = 5.0
# A process that grew by less since it last gave back has nothing worth the work.
WORTHWHILE_BYTES = 32 << 20


def memory_keeper() -> Periodic:
    """Looks now and then, and gives back after the process has grown, as large answers make it."""
    return Periodic("memory keeper", LOOK_SECONDS, MemoryKeeper(give_back).look)


class MemoryKeeper:
    """Remembers how large the process was when it last gave back."""

    def __init__(self, give: Callable[[], None]) -> None:
        self._give = give
        self._process = psutil.Process()
        self._size = self._resident()

    async def look(self) -> None:
        """Give back if that is worth the work."""
        if self._resident() - self._size < WORTHWHILE_BYTES:
            return
        self._give()
        # What is in use now is the size from which it may grow again.
        self._size = self._resident()

    def _resident(self) -> int:
        return int(self._process.memory_info().rss)


def give_back() -> None:
    """Takes milliseconds. Does nothing where the C library is another one."""
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is not None:
        pyarrow.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
