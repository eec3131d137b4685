"""Where the operating system shows itself as files; the roots can be moved, for tests and for containers."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HostRoots:
    """The directories that Linux collectors read from."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    etc: Path = Path("/etc")
    run: Path = Path("/run")
    usr_share: Path = Path("/usr/share")


def read_small(path: str | Path, limit: int = 1 << 20) -> bytes:
    """Read a file of the kernel's in as few calls as it takes. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        parts: list[bytes] = []
        size = 0
        # The kernel may hand out less than a page at a time, so only an empty read is the end.
        while size < limit and (data := os.read(descriptor, 65536)):
            parts.append(data)
            size += len(data)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def read_or_none(path: str | Path, limit: int = 1 << 20) -> bytes | None:
    """Like `read_small`, but None when the file is not there or may not be read."""
    try:
        return read_small(path, limit)
    except OSError:
        return None


def read_number(path: str | Path) -> float | None:
    """Read a file that holds one number. None when it is not there or holds something else."""
    data = read_or_none(path)
    try:
        return float(data) if data else None
    except ValueError:
        return None


def sorted_children(directory: Path) -> list[Path]:
    """The entries of a directory by name; none when it is not there."""
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []


def resolved(path: Path) -> Path | None:
    """Where a link leads in the end; None when it is not there."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError):  # a link that leads to itself
        return None
