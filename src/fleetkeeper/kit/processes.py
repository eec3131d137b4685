"""Child processes that do not outlive their parent, and the end of those that did."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable

import psutil

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.02


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` that asks the kernel to send `number` when the parent dies; None where there is no such way."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)

    return arm


def end_processes(processes: Iterable[psutil.Process], number: signal.Signals, seconds: float) -> None:
    """Send `number` to processes that are no children of ours, and SIGKILL to those that live on for so long."""
    left = [process for process in processes if _lives(process)]
    for final in (number, signal.SIGKILL):
        for process in left:
            try:
                process.send_signal(final)
            except psutil.NoSuchProcess:
                continue
        deadline = time.monotonic() + seconds
        while left and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            left = [process for process in left if _lives(process)]


def _lives(process: psutil.Process) -> bool:
    """A dead process that nobody has waited for counts as gone; in a container that may be so for ever."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
