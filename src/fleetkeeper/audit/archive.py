"""Old months: from the table into files, and out of the files once their retention is over.

Each step can be cut off and done again. A file appears under its name when it is whole; the month's record, the
signature and the end of its partition are one transaction; a file goes only after its record says so.
"""

from datetime import date, datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit import queries
from fleetkeeper.audit.archive_files import (
    ArchiveWriter,
    archive_folder,
    digest_of,
    file_name,
    read_rows,
    signed_hash,
)
from fleetkeeper.audit.models import AuditArchive
from fleetkeeper.audit.seals import Seal, is_genuine, leaf, merkle_root, sign, split_leaves
from fleetkeeper.errors import ConflictError
from fleetkeeper.kit.ids import uuid7


def month_before(day: date, months: int) -> date:
    """The first day of the month that lies so many months back."""
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


async def due_months(session: AsyncSession, today: date, archive_after_months: int) -> list[date]:
    """The months that are old enough and still in the table, oldest first.

    A month that has its file already is none of them: entries that came to it later, by a clock that stood wrong,
    stay in the table.
    """
    archived = {archive.month for archive in await queries.archives(session)}
    months = await queries.months_before(session, month_before(today, archive_after_months))
    return [month for month in months if month not in archived]


async def archive_month(
    session: AsyncSession, key: bytes, home: Path, month: date, now: datetime
) -> AuditArchive:
    """Move a month into its file, in the caller's transaction.

    Raises ConflictError where an entry is not sealed yet, or is not as it was sealed: a log that was tampered with
    stays where it is, to be looked into.
    """
    await queries.lock_sealing(session)
    if month in {archive.month for archive in await queries.archives(session)}:
        raise ConflictError(f"{month:%Y-%m} has its archive already, which is not written twice.")
    next_month = month_before(month, -1)
    newest = await queries.newest_seal(session)
    end = newest.to_transaction if newest else 0
    count, unsealed = await queries.count_month(session, month, next_month, end)
    if unsealed or not count:
        raise ConflictError(f"{month:%Y-%m} has {unsealed} entries that are not sealed, of {count}.")
    path = archive_folder(home) / file_name(month)
    writer = ArchiveWriter(path)
    try:
        async with queries.entries_of_month(session, month, next_month) as batches:
            async for rows in batches:
                writer.write(rows)
    finally:
        writer.close()
    first_id, last_id, entries = await _check(session, key, writer.draft, month)
    if entries != count:
        raise ConflictError(f"{month:%Y-%m} has {count} entries and its file {entries}.")
    writer.publish()
    archive = AuditArchive(
        id=uuid7(),
        month=month,
        file_name=path.name,
        entries=entries,
        first_id=first_id,
        last_id=last_id,
        size_bytes=path.stat().st_size,
        sha256=digest_of(path),
        archived_at=now,
        removed_at=None,
    )
    archive.signature = sign(key, signed_hash(archive))
    session.add(archive)
    await session.flush()
    await queries.drop_month(session, month)
    return archive


async def _check(session: AsyncSession, key: bytes, path: Path, month: date) -> tuple[int, int, int]:
    """Read the file back and compare each row with its seal; returns first and last number, and how many."""
    numbers: list[int] = []
    leaves: dict[int, bytes] = {}
    seals: list[Seal] = []
    sealed_to, seal_number = -1, -1
    for rows in read_rows(path):
        for row in rows:
            number, transaction = int(row[0] or 0), int(row[2] or 0)
            if seal_number < 0:
                seal_number = await queries.number_before(session, transaction)
            while transaction >= sealed_to:
                seals = seals or await queries.seals_after(session, seal_number)
                if not seals:
                    raise ConflictError(f"Entry {number} of {month:%Y-%m} is in no seal.")
                seal = seals.pop(0)
                if not is_genuine(seal, key) or merkle_root(seal.leaves) != seal.merkle_root:
                    raise ConflictError(
                        f"Seal {seal.number} is not genuine, so {month:%Y-%m} is not archived; "
                        "run `fleetkeeper audit verify`."
                    )
                sealed_to, seal_number = seal.to_transaction, seal.number
                leaves = dict(split_leaves(seal.leaves))
            if leaves.get(number) != leaf(row)[8:]:
                raise ConflictError(
                    f"Entry {number} is not as it was sealed, so {month:%Y-%m} is not archived; "
                    "run `fleetkeeper audit verify`."
                )
            numbers.append(number)
    return min(numbers, default=0), max(numbers, default=0), len(numbers)


async def expire_archives(session: AsyncSession, key: bytes, now: datetime, retention_months: int) -> int:
    """Mark the archives past their retention as removed; returns how many. The files go by `remove_expired_files`."""
    await queries.lock_sealing(session)
    limit = month_before(now.date(), retention_months)
    expired = [one for one in await queries.archives(session) if one.removed_at is None and one.month < limit]
    for archive in expired:
        archive.removed_at = now
        archive.signature = sign(key, signed_hash(archive))
    await session.flush()
    return len(expired)


async def remove_expired_files(session: AsyncSession, home: Path) -> int:
    """Delete the files whose record says that they are gone; returns how many there were."""
    removed = 0
    for archive in await queries.archives(session):
        path = archive_folder(home) / Path(archive.file_name).name
        if archive.removed_at is not None and path.exists():
            path.unlink()
            removed += 1
    return removed
