"""Random secrets: how they are made, how they are stored, how a file holds one."""

import hashlib
import os
import secrets
from pathlib import Path


def make_secret(prefix: str) -> str:
    """A new secret with 256 random bits, and a prefix by which leaks are found."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def hash_secret(secret: str) -> bytes:
    """What is stored of a random secret. A plain SHA-256 is enough at over 112 bits of entropy (ASVS 6.5.2)."""
    return hashlib.sha256(secret.encode()).digest()


def write_secret_file(path: Path, secret: str) -> None:
    """Write a file that only its owner can read, from its first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600)
        file.write(secret + "\n")
