"""Password hashing with argon2id."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 8
MAX_LENGTH = 256

# ASVS 5.0, appendix C: t >= 1 with m >= 46 MiB and p = 1.
_hasher = PasswordHasher(time_cost=2, memory_cost=47_104, parallelism=1)


def hash_password(password: str) -> str:
    """An argon2id hash with its parameters and a random salt."""
    return _hasher.hash(password)


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash("the password of nobody")


def is_password(password_hash: str | None, password: str) -> bool:
    """Whether the password fits. Takes as long for a user without hash, or no user at all, as for a wrong one."""
    try:
        _hasher.verify(password_hash or _hash_of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
