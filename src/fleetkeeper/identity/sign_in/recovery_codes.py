"""Codes that stand in for a lost second factor, each once."""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.sign_in.models import RecoveryCode
from fleetkeeper.identity.sign_in.queries import take_recovery_code
from fleetkeeper.kit.secrets import hash_secret

COUNT = 10
# 24 of 32 characters are 120 bits: enough that a plain hash is safe (ASVS 5.0, 6.5.2 asks for 112).
LENGTH = 24
_GROUP = 6
# Without I, L, O and U, which are taken for others (Crockford's base32).
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("ILO", "110")


def make_code() -> str:
    """A new code, in groups that can be read."""
    marks = "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))
    return "-".join(marks[start : start + _GROUP] for start in range(0, LENGTH, _GROUP))


def hash_code(code: str) -> bytes:
    """What is stored of a code, however it is typed."""
    plain = "".join(mark for mark in code.upper() if mark.isascii() and mark.isalnum())
    return hash_secret(plain.translate(_MISREAD))


async def replace_codes(session: AsyncSession, user_id: UUID, now: datetime) -> list[str]:
    """Create new codes in place of a user's old ones, and return them for the one time that they are shown."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [make_code() for _ in range(COUNT)]
    session.add_all(
        RecoveryCode(user_id=user_id, code_hash=hash_code(code), created_at=now) for code in codes
    )
    await session.flush()
    return codes


async def use_code(session: AsyncSession, user_id: UUID, code: str, now: datetime) -> bool:
    """Use up a code of a user; false when it is none, or was used already."""
    return await take_recovery_code(session, user_id, hash_code(code), now)
