"""The SQL of sealing, checking and archiving. Entries come as rows of `seals.COLUMNS`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

from psycopg import AsyncConnection
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.models import AuditArchive, AuditEntry, AuditSeal
from fleetkeeper.audit.seals import TEXT_COLUMNS, Row, Seal

BATCH = 5000
# A time that no clock shows can only have been written by hand; it must not stop a check.
_TIME = (
    'CASE WHEN isfinite("timestamp") THEN (extract(epoch FROM "timestamp") * 1000000)::bigint '
    "ELSE 9223372036854775807 END"
)
_ROW = f"id, {_TIME}, transaction_id, " + ", ".join(f"{name}::text" for name in TEXT_COLUMNS)
_BY_TRANSACTION = (
    f"SELECT {_ROW} FROM audit_log WHERE transaction_id >= %s AND transaction_id < %s "  # noqa: S608 - constants
    "ORDER BY transaction_id, id"
)
_BY_MONTH = (
    f'SELECT {_ROW} FROM audit_log WHERE "timestamp" >= %s AND "timestamp" < %s '  # noqa: S608 - constants
    "ORDER BY transaction_id, id"
)
_SEAL_COLUMNS = [getattr(AuditSeal, name) for name in Seal.__dataclass_fields__]


async def lock_sealing(session: AsyncSession) -> None:
    """Wait until nobody else seals or archives; the lock holds as long as the transaction."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.audit_seals'))"))


async def is_known_cluster(session: AsyncSession) -> bool:
    """Whether the log's newest epoch is of this cluster; after a restore into another it is not."""
    statement = text(
        "SELECT (SELECT system_identifier FROM pg_control_system()) = "
        "(SELECT system_identifier FROM audit_epochs ORDER BY number DESC LIMIT 1)"
    )
    return bool(await session.scalar(statement))


async def transactions_over(session: AsyncSession) -> int:
    """Every transaction with a smaller number is over."""
    return int(await session.scalar(text("SELECT audit_transactions_over()")) or 0)


async def next_transaction(session: AsyncSession) -> int:
    """A number that no transaction has had yet."""
    statement = text(
        "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint "
        "+ coalesce((SELECT max(transaction_offset) FROM audit_epochs), 0)"
    )
    return int(await session.scalar(statement) or 0)


async def newest_seal(session: AsyncSession) -> Seal | None:
    """The end of the chain, without its leaves."""
    columns = [column for column in _SEAL_COLUMNS if column.key != "leaves"]
    row = (await session.execute(select(*columns).order_by(AuditSeal.number.desc()).limit(1))).one_or_none()
    return None if row is None else Seal(**row._mapping, leaves=b"")  # noqa: SLF001 - the documented name


async def seal_after(session: AsyncSession, number: int) -> Seal | None:
    """The seal that follows, whole."""
    statement = select(*_SEAL_COLUMNS).where(AuditSeal.number > number).order_by(AuditSeal.number).limit(1)
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else Seal(**row._mapping)  # noqa: SLF001 - the documented name


def store_seal(session: AsyncSession, seal: Seal) -> None:
    """Add a seal to the chain."""
    session.add(AuditSeal(**vars(seal)))


@asynccontextmanager
async def entries(
    session: AsyncSession, from_transaction: int, to_transaction: int
) -> AsyncIterator[AsyncIterator[list[Row]]]:
    """The entries of transactions in [from, to), in the order of seals, some thousands at a time."""
    async with _stream(session, _BY_TRANSACTION, (from_transaction, to_transaction)) as batches:
        yield batches


@asynccontextmanager
async def entries_of_month(
    session: AsyncSession, first_day: date, next_day: date
) -> AsyncIterator[AsyncIterator[list[Row]]]:
    """The entries of a month (UTC), in the order of seals, some thousands at a time."""
    async with _stream(session, _BY_MONTH, (f"{first_day}T00:00Z", f"{next_day}T00:00Z")) as batches:
        yield batches


@asynccontextmanager
async def _stream(
    session: AsyncSession, statement: str, values: tuple[Any, ...]
) -> AsyncIterator[AsyncIterator[list[Row]]]:
    """Rows of a cursor on the server: the driver's own, as millions of them pass."""
    raw = await (await session.connection()).get_raw_connection()
    driver: Any = raw.driver_connection
    assert isinstance(driver, AsyncConnection)
    async with driver.cursor("audit_entries", binary=True) as cursor:
        await cursor.execute(statement, values)

        async def batches() -> AsyncIterator[list[Row]]:
            while batch := await cursor.fetchmany(BATCH):
                yield batch

        yield batches()


async def entry_by_id(session: AsyncSession, number: int) -> Row | None:
    """An entry, wherever its transaction's number puts it."""
    row = (
        await session.execute(
            text(f"SELECT {_ROW} FROM audit_log WHERE id = :id LIMIT 1"),  # noqa: S608 - constants
            {"id": number},
        )
    ).one_or_none()
    return None if row is None else tuple(row)


async def sealed_number_of(session: AsyncSession, entry: bytes) -> int | None:
    """The seal that has an entry's number (8 bytes), read from its leaves."""
    statement = text(
        "SELECT number FROM audit_seals WHERE EXISTS (SELECT FROM generate_series(0, entries - 1) AS i "
        "WHERE substr(leaves, (i * 40 + 1)::int, 8) = :entry) ORDER BY number LIMIT 1"
    )
    found: int | None = await session.scalar(statement, {"entry": entry})
    return found


async def count_outside(session: AsyncSession, from_transaction: int, to_transaction: int) -> int:
    """How many entries have a transaction outside of [from, to)."""
    condition = (AuditEntry.transaction_id < from_transaction) | (AuditEntry.transaction_id >= to_transaction)
    return await session.scalar(select(func.count()).select_from(AuditEntry).where(condition)) or 0


async def count_since(session: AsyncSession, transaction: int) -> int:
    """How many entries have this transaction or a later one."""
    condition = AuditEntry.transaction_id >= transaction
    return await session.scalar(select(func.count()).select_from(AuditEntry).where(condition)) or 0


async def count_month(
    session: AsyncSession, first_day: date, next_day: date, transaction: int
) -> tuple[int, int]:
    """The entries of a month, and how many of them have this transaction or a later one."""
    statement = text(
        "SELECT count(*), count(*) FILTER (WHERE transaction_id >= :transaction) FROM audit_log "
        "WHERE \"timestamp\" >= CAST(:first AS date)::timestamp AT TIME ZONE 'UTC' "
        "AND \"timestamp\" < CAST(:next AS date)::timestamp AT TIME ZONE 'UTC'"
    )
    values = {"transaction": transaction, "first": first_day, "next": next_day}
    row = (await session.execute(statement, values)).one()
    return row[0], row[1]


async def oldest_month(session: AsyncSession) -> date | None:
    """The first day of the month of the oldest entry in the table."""
    moment = await session.scalar(select(func.min(AuditEntry.timestamp)))
    return None if moment is None else date(moment.year, moment.month, 1)


async def archives(session: AsyncSession) -> list[AuditArchive]:
    """All archived months, oldest first."""
    return list((await session.scalars(select(AuditArchive).order_by(AuditArchive.month))).all())


async def drop_month(session: AsyncSession, first_day: date) -> int:
    """Take an archived month out of the table; the database refuses when that is not safe."""
    statement = text("SELECT drop_archived_audit_month(:month)")
    return int(await session.scalar(statement, {"month": first_day}) or 0)


async def seals_over(session: AsyncSession, first_transaction: int, last_transaction: int) -> list[int]:
    """The numbers of the seals that have transactions of this range."""
    statement = (
        select(AuditSeal.number)
        .where(AuditSeal.to_transaction > first_transaction, AuditSeal.from_transaction <= last_transaction)
        .order_by(AuditSeal.number)
    )
    return list((await session.scalars(statement)).all())
