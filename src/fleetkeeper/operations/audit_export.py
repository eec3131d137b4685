"""The audit log as a file: rows are read in pages and leave as they come, so any length fits in little memory."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Select

from fleetkeeper.audit.models import AuditEntry
from fleetkeeper.audit.schemas import AuditEntryRead
from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.drained_file import DrainedFile
from fleetkeeper.kit.spreadsheets import guarded

PAGE = 2000
FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
COLUMNS = tuple(AuditEntryRead.model_fields)
_SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64()),
        pa.field("timestamp", pa.timestamp("us", tz="UTC")),
        *(pa.field(name, pa.string()) for name in COLUMNS if name not in {"id", "timestamp"}),
    ]
)


async def export_entries(
    database: Database, context: TransactionContext, statement: Select[Any], file_format: str
) -> AsyncIterator[bytes]:
    """The entries of a statement, newest first, as the bytes of a file. Each page is a transaction of its own."""
    pages = _pages(database, context, statement)
    async for chunk in _as_csv(pages) if file_format == "csv" else _as_parquet(pages):
        yield chunk


async def _pages(
    database: Database, context: TransactionContext, statement: Select[Any]
) -> AsyncIterator[list[AuditEntry]]:
    last: int | None = None
    while True:
        wanted = statement if last is None else statement.where(AuditEntry.id < last)
        async with database.session(context) as session:
            rows = list((await session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(PAGE))).all())
        if not rows:
            return
        last = rows[-1].id
        yield rows


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


async def _as_csv(pages: AsyncIterator[list[AuditEntry]]) -> AsyncIterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    async for rows in pages:
        for row in rows:
            cells: Sequence[Any] = [getattr(row, name) for name in COLUMNS[2:]]
            writer.writerow(
                [row.id, row.timestamp.isoformat(), *(guarded(_text(cell) or "") for cell in cells)]
            )
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


async def _as_parquet(pages: AsyncIterator[list[AuditEntry]]) -> AsyncIterator[bytes]:
    sink = DrainedFile()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), _SCHEMA, compression="zstd") as writer:
        async for rows in pages:
            arrays = [
                pa.array([row.id for row in rows], pa.int64()),
                pa.array([row.timestamp for row in rows], _SCHEMA.field("timestamp").type),
                *(pa.array([_text(getattr(row, name)) for row in rows], pa.string()) for name in COLUMNS[2:]),
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA))
            yield sink.take()
    yield sink.take()
