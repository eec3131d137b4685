"""Number and hash of the newest seal, in a file beside the database: seals that are cut off at the end are missed."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from fleetkeeper.audit.seals import Seal
from fleetkeeper.errors import ConflictError

FILE = "audit-newest-seal"


@dataclass(frozen=True)
class NotedSeal:
    """What the file says."""

    number: int
    seal_hash: bytes


def read_noted(home: Path) -> NotedSeal | None:
    """The newest seal that this home has made, if it made one. Raises ConflictError for a file that cannot be read."""
    path = home / FILE
    try:
        number, digest = path.read_text().split()
        return NotedSeal(int(number), bytes.fromhex(digest))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise ConflictError(
            f"The note of the newest seal, {path}, cannot be read. Restore it, or remove it if you know why."
        ) from None


def note(home: Path, seal: Seal) -> None:
    """Remember a seal that is stored. A file that is cut off never takes the place of a whole one."""
    path = home / FILE
    draft = path.with_name(f"{FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{seal.number} {seal.seal_hash.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def forget(home: Path) -> None:
    """Go on from the seals that are there, as after a restore."""
    (home / FILE).unlink(missing_ok=True)
