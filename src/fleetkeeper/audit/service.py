"""Sealing."""

from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit import queries
from fleetkeeper.audit.chain import SealingStoppedError, end_of_chain
from fleetkeeper.audit.seals import BatchCutter, Seal, make_seal

# Seals of one transaction; whoever seals calls again until nothing is left.
SEALS_AT_ONCE = 50


async def seal_entries(
    session: AsyncSession, key: bytes, home: Path, now: datetime, limit: int = SEALS_AT_ONCE
) -> list[Seal]:
    """Seal the entries of all transactions that are over for certain; returns the new seals, about `limit` at most.

    A transaction that still runs is left for later, with all that began after it. A seal has at most 10,000 entries,
    unless a single transaction made more. Only one caller seals at a time. Raises SealingStoppedError where the
    newest seal is not as it was made, and after a restore into another cluster, where transactions are counted anew.
    """
    await queries.lock_sealing(session)
    chain = await end_of_chain(session, key, home)
    if chain.problem:
        raise SealingStoppedError(chain.problem)
    previous = chain.newest
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
