"""The SQL of keys."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

KEPT_HOURS = 24


@dataclass(frozen=True)
class Known:
    """What is known of a key. Without a status the request was carried out and its answer is not at hand."""

    request_digest: bytes
    status: int | None
    answer: bytes | None


async def find(session: AsyncSession, digest: bytes) -> Known | None:
    """A key that was used within the last day."""
    statement = text(
        "SELECT request_digest, status, answer FROM idempotency_keys "
        "WHERE digest = :digest AND created_at > now() - make_interval(hours => :hours)"
    )
    row = (await session.execute(statement, {"digest": digest, "hours": KEPT_HOURS})).one_or_none()
    return None if row is None else Known(*row)


async def store(
    session: AsyncSession, digest: bytes, request_digest: bytes, status: int, answer: bytes | None
) -> None:
    """Keep an answer. The first one stays."""
    statement = text(
        "INSERT INTO idempotency_keys (digest, request_digest, status, answer) "
        "VALUES (:digest, :request_digest, :status, :answer) "
        "ON CONFLICT (digest) DO UPDATE SET status = excluded.status, answer = excluded.answer "
        "WHERE idempotency_keys.status IS NULL"
    )
    values = {"digest": digest, "request_digest": request_digest, "status": status, "answer": answer}
    await session.execute(statement, values)


async def forget_one(session: AsyncSession, digest: bytes) -> None:
    """Let a key that is past its day be used again."""
    statement = text(
        "DELETE FROM idempotency_keys WHERE digest = :digest AND created_at <= now() - make_interval(hours => :hours)"
    )
    await session.execute(statement, {"digest": digest, "hours": KEPT_HOURS})


async def forget_old(session: AsyncSession) -> None:
    """Remove what is older than a day."""
    statement = text(
        "DELETE FROM idempotency_keys WHERE created_at <= now() - make_interval(hours => :hours)"
    )
    await session.execute(statement, {"hours": KEPT_HOURS})
