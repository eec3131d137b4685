"""Imports of devices, from the upload to the result."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.filters import PREFIX
from fleetkeeper.annotations.fields.service import fields_for
from fleetkeeper.database.engine import let_go
from fleetkeeper.database.many_rows import insert_many
from fleetkeeper.database.status_history import move
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.importing import queries
from fleetkeeper.devices.importing.fields import FIELDS, guessed, identifier_in, wrong_with
from fleetkeeper.devices.importing.files.reading import format_of, read_table
from fleetkeeper.devices.importing.models import DeviceImport, DeviceImportRow
from fleetkeeper.devices.importing.schemas import (
    FieldRead,
    ImportPage,
    ImportRead,
    ImportWrite,
    ItemPage,
    ItemRead,
    counts_of,
    told,
)
from fleetkeeper.devices.importing.status import IMPORTS, OPEN, ImportStatus
from fleetkeeper.errors import ConflictError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.ids import uuid7

MOST_OPEN = 20
UNDO_WITHIN = timedelta(days=30)
_INSERTED = 2000
# Rows that samples are taken of.
_SAMPLED = 5


async def upload(
    session: AsyncSession, actor: Actor, file_name: str, content: bytes, file_format: str = ""
) -> ImportRead:
    """Keep the rows of a file, with a mapping that its columns suggest.

    Raises InvalidInputError for a file that is none, TooLargeError, ConflictError where too many wait already.
    """
    file_format = file_format or format_of(file_name)
    await let_go(session)
    table = await read_table(content, file_format)
    if await queries.count_open(session, actor) >= MOST_OPEN:
        raise ConflictError(f"{MOST_OPEN} imports wait to be applied already; delete some first.")
    mapping = guessed(table.columns, await fields_for(session, actor, TABLE))
    row = DeviceImport(
        owner_id=actor.user_id,
        owner=actor.name[:255],
        file_name=file_name,
        file_format=file_format,
        columns=list(table.columns),
        notes=list(table.notes),
        row_count=len(table.rows),
        mapping=mapping,
        identify_by=identifier_in(mapping),
    )
    session.add(row)
    await session.flush()
    for start in range(0, len(table.rows), _INSERTED):
        several = enumerate(table.rows[start : start + _INSERTED], start + 2)
        values = [
            {"id": uuid7(), "import_id": row.id, "position": place, "cells": cells}
            for place, cells in several
        ]
        await insert_many(session, DeviceImportRow, values)
    return await _read(session, row)


async def list_imports(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]], *, is_counted: bool = True
) -> ImportPage:
    """One page of imports, newest first."""
    page = await queries.LISTING.page(session, queries.visible_to(actor), parameters, is_counted=is_counted)
    rows = [row[0] for row in page.rows]
    counts = await queries.count_by(session, [one.id for one in rows])
    results = [told(one, counts_of(counts, one.id), undo_until(one)) for one in rows]
    return ImportPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def get_import(session: AsyncSession, actor: Actor, key: UUID) -> ImportRead:
    """One import. Raises NotFoundError."""
    return await _read(session, await find(session, actor, key))


async def list_items(
    session: AsyncSession,
    actor: Actor,
    key: UUID,
    parameters: Sequence[tuple[str, str]],
    *,
    is_counted: bool = True,
) -> ItemPage:
    """One page of an import's rows. Raises NotFoundError, InvalidInputError."""
    await find(session, actor, key)
    rows = queries.rows_of(key)
    return await queries.ITEMS.read(
        session,
        rows,
        parameters,
        ItemPage,
        lambda row: ItemRead.model_validate(row[0]),
        is_counted=is_counted,
    )


async def change_import(
    session: AsyncSession, actor: Actor, key: UUID, wanted: ImportWrite, expected_version: int | None = None
) -> ImportRead:
    """Change how a file is read; a dry run is due again.

    Raises NotFoundError, InvalidInputError, PreconditionError, and ConflictError for one that was applied.
    """
    row = await locked(session, actor, key)
    check_version("import", row.version, expected_version)
    if row.status not in OPEN:
        raise ConflictError("The import was applied already. Upload the file again to import it anew.")
    custom = await fields_for(session, actor, TABLE)
    if wrong := wrong_with(wanted.mapping, row.columns, custom, wanted.identify_by):
        raise InvalidInputError("The mapping is wrong.", fields=wrong)
    for name, value in wanted.model_dump(exclude={"mapping"}).items():
        setattr(row, name, value)
    row.mapping = {column: wanted.mapping.get(column) for column in row.columns}
    row.version += 1
    await queries.forget_outcomes(session, key)
    if row.status != ImportStatus.UPLOADED:
        await move(session, IMPORTS, row, ImportStatus.UPLOADED)
    return await _read(session, row)


async def delete_import(session: AsyncSession, actor: Actor, key: UUID) -> None:
    """Remove a file and its rows; devices stay. Raises NotFoundError, ConflictError while a job is at it."""
    row = await locked(session, actor, key)
    if row.status in {ImportStatus.APPLYING, ImportStatus.UNDOING}:
        raise ConflictError("A job is at work on this import. Wait until it has finished.")
    await session.delete(row)
    await session.flush()


async def importable_fields(session: AsyncSession, actor: Actor) -> list[FieldRead]:
    """The fields that a column may be mapped to."""
    own = [FieldRead(name=one.name, title=one.title) for one in FIELDS]
    custom = await fields_for(session, actor, TABLE)
    return own + [
        FieldRead(name=PREFIX + one.name, title=one.label) for one in custom if not one.is_sensitive
    ]


async def samples(session: AsyncSession, actor: Actor, key: UUID) -> dict[str, str]:
    """The first text that each column of the file has in its first rows."""
    row = await find(session, actor, key)
    rows = await queries.next_rows(session, key, 0, _SAMPLED)
    found: dict[str, str] = {}
    for one in rows:
        for column, cell in zip(row.columns, one.cells, strict=False):
            if text := str(cell).strip():
                found.setdefault(column, text)
    return found


def undo_until(row: DeviceImport) -> Any:
    """Until when an import can be undone; None where it cannot."""
    return row.applied_at + UNDO_WITHIN if row.applied_at is not None and row.undone_at is None else None


async def find(session: AsyncSession, actor: Actor, key: UUID) -> DeviceImport:
    """The import's row. Raises NotFoundError."""
    return await _found(session, queries.visible_to(actor).where(DeviceImport.id == key))


async def locked(session: AsyncSession, actor: Actor, key: UUID) -> DeviceImport:
    """The same, held until the transaction ends."""
    return await _found(session, queries.visible_to(actor).where(DeviceImport.id == key).with_for_update())


async def _found(session: AsyncSession, statement: Any) -> DeviceImport:
    row: DeviceImport | None = await session.scalar(statement.execution_options(populate_existing=True))
    if row is None:
        raise NotFoundError("There is no such import.")
    return row


async def _read(session: AsyncSession, row: DeviceImport) -> ImportRead:
    await session.flush()
    await session.refresh(row)
    counts = await queries.count_by(session, [row.id])
    return told(row, counts_of(counts, row.id), undo_until(row))
