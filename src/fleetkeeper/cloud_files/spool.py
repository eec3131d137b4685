"""Files on this server: those on their way to a store, and what is left of uploads that came to nothing."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from fleetkeeper.kit.body_spool import SUFFIX, BodySpool
from fleetkeeper.kit.places import Places
from fleetkeeper.settings.cloud_files import CloudFileSettings

# Uploads and downloads that are under way in one process, and those of one caller.
_AT_ONCE, _OF_ONE = 64, 8
# An upload or a transaction that takes longer has ended.
LEFTOVER_SECONDS = 6 * 3600.0
# Of files that are looked at in one run.
_MOST_LOOKED_AT = 100_000


def root_of(home: Path, settings: CloudFileSettings) -> Path:
    """The folder of this room."""
    return settings.path or home / "cloud-files"


def body_spool(home: Path, settings: CloudFileSettings) -> BodySpool:
    """Where uploads are written as they come."""
    room = _OF_ONE * settings.max_file_bytes
    return BodySpool(root_of(home, settings) / "incoming", Places(_AT_ONCE, _OF_ONE, room, what="files"))


def spooled_path(root: Path, file_id: UUID) -> Path:
    """Where a file waits for its store."""
    return root / "spool" / str(file_id)


def local_folder(root: Path) -> Path:
    """What local stores have their folders in."""
    return root / "local"


def remove_incoming(root: Path, now: float | None = None) -> int:
    """Remove what killed uploads left; returns how many there were."""
    gone = 0
    for entry in _old_entries(root / "incoming", now):
        if entry.name.endswith(SUFFIX):
            Path(entry.path).unlink(missing_ok=True)
            gone += 1
    return gone


def old_spooled(root: Path, now: float | None = None) -> list[UUID]:
    """The IDs of files that have waited for long: some may be of transactions that failed."""
    found = []
    for entry in _old_entries(root / "spool", now):
        try:
            found.append(UUID(entry.name))
        except ValueError:
            continue
    return found


def _old_entries(folder: Path, now: float | None) -> Iterator["os.DirEntry[str]"]:
    oldest = (time.time() if now is None else now) - LEFTOVER_SECONDS
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number >= _MOST_LOOKED_AT:
                return
            try:
                is_old = (
                    entry.is_file(follow_symlinks=False)
                    and entry.stat(follow_symlinks=False).st_mtime < oldest
                )
            except FileNotFoundError:
                continue
            if is_old:
                yield entry
