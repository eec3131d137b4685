"""The key that signs seals. It stands beside the database, not in it: who has only the database cannot seal anew."""

import os
import secrets
from pathlib import Path

from fleetkeeper.errors import StartupError
from fleetkeeper.settings import Settings

KEY_FILE = "audit-key"
KEY_BYTES = 32


def signing_key(settings: Settings) -> bytes:
    """The key of this installation, made at the first call.

    Raises StartupError when it cannot be read, as a new one would make all seals so far look forged.
    """
    path = settings.home / KEY_FILE
    try:
        _make(path)
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise StartupError(f"The key of the audit log's seals, {path}, cannot be read: {error}.") from None
    if len(key) != KEY_BYTES:
        raise StartupError(
            f"The key of the audit log's seals, {path}, is not whole; restore it from a backup."
        )
    return key


def existing_key(settings: Settings) -> bytes | None:
    """The key, if this home has one: a home that never sealed is not given one by looking."""
    return signing_key(settings) if (settings.home / KEY_FILE).exists() else None


def _make(path: Path) -> None:
    """Write the file unless it is there. Two processes at once agree on one key, and a killed one leaves none half."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
