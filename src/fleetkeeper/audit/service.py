"""Sealing."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit import queries
from fleetkeeper.audit.seals import BatchCutter, Seal, make_seal
from fleetkeeper.errors import ConflictError

# Seals of one transaction; whoever seals calls again until nothing is left.
SEALS_AT_ONCE = 50


async def seal_entries(
    session: AsyncSession, key: bytes, now: datetime, limit: int = SEALS_AT_ONCE
) -> list[Seal]:
    """Seal the entries of all transactions that are over for certain; returns the new seals, about `limit` at most.

    A transaction that still runs is left for later, with all that began after it. A seal has at most 10,000 entries,
    unless a single transaction made more. Only one caller seals at a time. Raises ConflictError after a restore into
    another cluster, where transactions are counted anew.
    """
    await queries.lock_sealing(session)
    if not await queries.is_known_cluster(session):
        raise ConflictError(
            "The database was restored into another PostgreSQL, where transactions are counted anew. "
            "Run `fleetkeeper audit seal --after-restore` once."
        )
    previous = await queries.newest_seal(session)
    end = await queries.transactions_over(session)
    made: list[Seal] = []
    cutter = BatchCutter()
    async with queries.entries(session, previous.to_transaction if previous else 0, end) as batches:
        async for rows in batches:
            for leaves, to_transaction in cutter.add(rows):
                previous = make_seal(key, previous, leaves, to_transaction, now)
                made.append(previous)
            if len(made) >= limit:
                break
        else:
            for leaves, to_transaction in cutter.finish(end):
                previous = make_seal(key, previous, leaves, to_transaction, now)
                made.append(previous)
    for seal in made:
        queries.store_seal(session, seal)
    await session.flush()
    return made
