"""The SQL of sealing, checking and archiving. Entries come as rows of `seals.COLUMNS`."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.models import AuditArchive, AuditEntry, AuditSeal
from fleetkeeper.audit.seals import TEXT_COLUMNS, Row, Seal
from fleetkeeper.database.engine import driver_connection

BATCH = 5000
SEALS_AT_ONCE = 500
ENTRIES_AT_ONCE = 20_000
# Whoever looks how far sealing is need not wait until more are counted.
MOST_COUNTED = 100_000
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
# Transactions that have not been yet, or never could be. What the statement itself can see had a number below its
# snapshot's end, so entries that come while it runs are none of these.
_IMPOSSIBLE = (
    f"SELECT {_ROW} FROM audit_log WHERE transaction_id < 0 OR transaction_id >= "  # noqa: S608 - constants
    "pg_snapshot_xmax(pg_current_snapshot())::text::bigint "
    "+ coalesce((SELECT max(transaction_offset) FROM audit_epochs), 0) ORDER BY transaction_id, id LIMIT :limit"
)
_BY_MONTH = (
    f'SELECT {_ROW} FROM audit_log WHERE "timestamp" >= %s AND "timestamp" < %s '  # noqa: S608 - constants
    "ORDER BY transaction_id, id"
)
_SEAL_COLUMNS = [getattr(AuditSeal, name) for name in Seal.__dataclass_fields__]


async def lock_sealing(session: AsyncSession) -> None:
    """Wait until nobody else seals or archives; the lock holds as long as the transaction. For the keeper alone."""
    await session.execute(text("SELECT lock_audit_seals()"))


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


async def newest_seal(session: AsyncSession) -> Seal | None:
    """The end of the chain, without its leaves."""
    return next(iter(await newest_seals(session, 1)), None)


async def newest_seals(session: AsyncSession, limit: int) -> list[Seal]:
    """The end of the chain, newest first, without leaves."""
    columns = [column for column in _SEAL_COLUMNS if column.key != "leaves"]
    rows = await session.execute(select(*columns).order_by(AuditSeal.number.desc()).limit(limit))
    return [Seal(**row._mapping, leaves=b"") for row in rows]  # noqa: SLF001 - the documented name


async def hash_of_seal(session: AsyncSession, number: int) -> bytes | None:
    """The hash of a seal, if it is there."""
    found: bytes | None = await session.scalar(select(AuditSeal.seal_hash).where(AuditSeal.number == number))
    return found


async def seals_after(session: AsyncSession, number: int) -> list[Seal]:
    """The seals that follow, whole: at least one if there is one, and no more than have some thousand entries."""
    heads = select(AuditSeal.number, AuditSeal.entries).where(AuditSeal.number > number)
    rows = (await session.execute(heads.order_by(AuditSeal.number).limit(SEALS_AT_ONCE))).all()
    last, entries = number, 0
    for row in rows:
        entries += row.entries
        if last > number and entries > ENTRIES_AT_ONCE:
            break
        last = row.number
    statement = select(*_SEAL_COLUMNS).where(AuditSeal.number > number, AuditSeal.number <= last)
    found = (await session.execute(statement.order_by(AuditSeal.number))).all()
    return [Seal(**row._mapping) for row in found]  # noqa: SLF001 - the documented name


async def number_before(session: AsyncSession, transaction: int) -> int:
    """The number of the last seal that ends before a transaction, or 0."""
    statement = select(AuditSeal.number).where(AuditSeal.to_transaction <= transaction)
    return await session.scalar(statement.order_by(AuditSeal.to_transaction.desc()).limit(1)) or 0


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
    driver = await driver_connection(session)
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
    number: int | None = await session.scalar(statement, {"entry": entry})
    return number


async def impossible_entries(session: AsyncSession, limit: int) -> list[Row]:
    """Entries whose transactions are none that this database has had."""
    return [tuple(row) for row in await session.execute(text(_IMPOSSIBLE), {"limit": limit})]


async def count_since(session: AsyncSession, transaction: int) -> int:
    """How many entries have this transaction or a later one."""
    condition = AuditEntry.transaction_id >= transaction
    return await session.scalar(select(func.count()).select_from(AuditEntry).where(condition)) or 0


async def unsealed(session: AsyncSession, transaction: int) -> tuple[int, datetime | None, bool]:
    """The entries from a transaction on: how many (up to MOST_COUNTED), since when, and whether they cannot be sealed.

    They cannot while a transaction still runs that began before theirs.
    """
    statement = text(
        'WITH waiting AS (SELECT transaction_id, "timestamp" FROM audit_log WHERE transaction_id >= :transaction '
        "ORDER BY transaction_id, id LIMIT :limit) "
        'SELECT count(*), min("timestamp") FILTER (WHERE isfinite("timestamp")), '
        "coalesce(min(transaction_id) >= audit_transactions_over(), false) FROM waiting"
    )
    row = (await session.execute(statement, {"transaction": transaction, "limit": MOST_COUNTED})).one()
    return row[0], row[1], row[2]


async def tables_without_triggers(session: AsyncSession, tables: Collection[str]) -> list[str]:
    """Which of these tables exist and have not all four triggers of the log, switched on."""
    statement = text(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(:tables) "
        "AND 4 <> (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgenabled IN ('O', 'A') "
        "AND t.tgname IN ('audit_insert', 'audit_update', 'audit_delete', 'audit_truncate')) ORDER BY 1"
    )
    return list((await session.scalars(statement, {"tables": list(tables)})).all())


async def last_event(session: AsyncSession, record: str) -> tuple[str, dict[str, Any]] | None:
    """Action and details of the newest event about the log itself with this key."""
    statement = select(AuditEntry.action, AuditEntry.details).where(
        AuditEntry.resource_type == "audit",
        # As the index has it.
        AuditEntry.resource_type != literal_column("'devices'"),
        AuditEntry.record_id == record,
    )
    row = (await session.execute(statement.order_by(AuditEntry.id.desc()).limit(1))).one_or_none()
    return None if row is None else (row[0], row[1] or {})


async def count_sealed(session: AsyncSession) -> int:
    """How many entries the seals have together."""
    return int(await session.scalar(select(func.sum(AuditSeal.entries))) or 0)


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


async def months_before(session: AsyncSession, first_day: date) -> list[date]:
    """The months before this one (UTC) that have entries in the table, oldest first."""
    statement = text(
        "SELECT DISTINCT date_trunc('month', \"timestamp\" AT TIME ZONE 'UTC')::date FROM audit_log "
        # No clock of a server shows an earlier time; one can only have been written by hand.
        "WHERE \"timestamp\" >= timestamptz '1970-01-01 00:00Z' "
        "AND \"timestamp\" < CAST(:first AS date)::timestamp AT TIME ZONE 'UTC' ORDER BY 1"
    )
    return list((await session.scalars(statement, {"first": first_day})).all())


async def archives(session: AsyncSession) -> list[AuditArchive]:
    """All archived months, oldest first."""
    return list((await session.scalars(select(AuditArchive).order_by(AuditArchive.month))).all())


async def drop_month(session: AsyncSession, first_day: date) -> int:
    """Take an archived month out of the table; the database refuses when that is not safe."""
    statement = text("SELECT drop_archived_audit_month(:month)")
    return int(await session.scalar(statement, {"month": first_day}) or 0)
