"""Password hashing with argon2id, and which passwords are good enough."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from fleetkeeper.errors import FieldError, InvalidInputError

# ASVS 5.0, 6.2.1 asks for 8 at least; length, not a mixture of characters, is what counts.
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


def check_password(password: str, username: str = "") -> None:
    """Raise InvalidInputError unless a password is long enough, and none that attackers try first."""
    problem = None
    lowered = password.casefold()
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        problem = f"has {MIN_LENGTH} to {MAX_LENGTH} characters"
    elif username and lowered.strip() == username.casefold():
        problem = "is not the username"
    elif lowered in _common() or len(set(lowered)) < 3:
        problem = "is among those that attackers try first; take a longer one that only you would think of"
    if problem:
        raise InvalidInputError("The password was not accepted.", fields=[FieldError("password", problem)])


@cache
def _common() -> frozenset[str]:
    """30,000 passwords of leaks, most frequent first, as the library has them."""
    return frozenset(FREQUENCY_LISTS["passwords"])
