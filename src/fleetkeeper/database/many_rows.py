"""Inserts many rows by one statement: with thousands, a statement for each row is most of the time that they take."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.base import Base


async def insert_many(
    session: AsyncSession, model: type[Base], rows: Sequence[Mapping[str, Any]], *, on_conflict: str = ""
) -> None:
    """Insert rows, each with the same columns; `on_conflict` is SQL as in `(id) DO NOTHING`.

    Columns that the rows do not have get the database's own defaults.
    """
    if not rows:
        return
    table = model.__tablename__
    columns = ", ".join(rows[0])
    rows_told = f"json_populate_recordset(NULL::{table}, CAST(:rows AS json))"
    # Names of the model's own.
    statement = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {rows_told}"  # noqa: S608
    if on_conflict:
        statement += f" ON CONFLICT {on_conflict}"
    told = msgspec.json.encode([{name: _told(value) for name, value in row.items()} for row in rows])
    await session.execute(text(statement), {"rows": told.decode()})


def _told(value: Any) -> Any:
    """Bytes as PostgreSQL reads them."""
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value
