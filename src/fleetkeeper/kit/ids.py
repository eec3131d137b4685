"""UUIDv7 (RFC 9562): time-ordered keys, made by the application so that every server version can store them."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A new key: 48 bits of milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | random
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return UUID(int=value)


def is_id(text: str) -> bool:
    """Whether a text is a whole key."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
