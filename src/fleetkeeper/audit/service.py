"""Sealing."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit import queries
from fleetkeeper.audit.seals import LEAF_BYTES, MAX_ENTRIES, Seal, leaf, make_seal
from fleetkeeper.errors import ConflictError

# Seals of one transaction; whoever seals calls again until nothing is left.
SEALS_AT_ONCE = 50


async def seal_entries(  # noqa: C901 - one step after another
    session: AsyncSession, key: bytes, now: datetime, limit: int = SEALS_AT_ONCE
) -> list[Seal]:
    """Seal the entries of all transactions that are over for certain; returns the new seals, at most `limit`.

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
    begin = previous.to_transaction if previous else 0
    end = await queries.transactions_over(session)
    made: list[Seal] = []
    batch, current, transaction = bytearray(), bytearray(), None
    async with queries.entries(session, begin, end) as batches:
        async for rows in batches:
            for row in rows:
                if row[2] != transaction:
                    if batch and len(batch) + len(current) > MAX_ENTRIES * LEAF_BYTES:
                        first = int(transaction or 0)
                        previous = make_seal(key, previous, bytes(batch), first, now)
                        made.append(previous)
                        batch = bytearray()
                        if len(made) == limit:
                            break
                    batch += current
                    current, transaction = bytearray(), row[2]
                current += leaf(row)
            if len(made) == limit:
                break
    if len(made) < limit and len(batch) + len(current) > MAX_ENTRIES * LEAF_BYTES and batch:
        previous = make_seal(key, previous, bytes(batch), int(transaction or 0), now)
        made.append(previous)
        batch = bytearray()
    if len(made) < limit and (batch or current):
        made.append(make_seal(key, previous, bytes(batch + current), end, now))
    for seal in made:
        queries.store_seal(session, seal)
    await session.flush()
    return made
