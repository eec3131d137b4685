"""Rows as the bytes of a file, page by page, so that any number of them fits in little memory."""

import asyncio
import csv
import io
import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter
import yaml

from fleetkeeper.kit.spreadsheets import guarded

Rows = Sequence[Mapping[str, Any]]
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "yaml": "application/yaml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_BLOCK = 256 * 1024
# A sheet has no more rows; what is beyond would be lost.
MOST_ROWS_OF_A_SHEET = 1_048_575


async def table_file(pages: AsyncIterator[Rows], fields: Sequence[str], kind: str) -> AsyncIterator[bytes]:
    """A file of one of `KINDS` with a column for each field. Values are JSON's, and times."""
    made = {"csv": _csv, "json": _json, "xlsx": _xlsx, "yaml": _yaml}[kind](pages, fields)
    async for block in made:
        yield block


def text_of(value: Any) -> str:
    """A value as a cell of text."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return (
        json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)
    )


async def _csv(pages: AsyncIterator[Rows], fields: Sequence[str]) -> AsyncIterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(fields)
    async for rows in pages:
        for row in rows:
            writer.writerow([_cell(row.get(name)) for name in fields])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def _cell(value: Any) -> Any:
    return (
        value if isinstance(value, int | float) and not isinstance(value, bool) else guarded(text_of(value))
    )


async def _json(pages: AsyncIterator[Rows], fields: Sequence[str]) -> AsyncIterator[bytes]:
    opening = "["
    async for rows in pages:
        for row in rows:
            text = json.dumps({name: row.get(name) for name in fields}, ensure_ascii=False, default=_plain)
            yield f"{opening}\n{text}".encode()
            opening = ","
    yield b"[]\n" if opening == "[" else b"\n]\n"


async def _yaml(pages: AsyncIterator[Rows], fields: Sequence[str]) -> AsyncIterator[bytes]:
    """A list goes on where its last part ended."""
    is_empty = True
    async for rows in pages:
        if rows:
            is_empty = False
            yield await asyncio.to_thread(_yaml_rows, rows, fields)
    if is_empty:
        yield b"[]\n"


def _yaml_rows(rows: Rows, fields: Sequence[str]) -> bytes:
    # What JSON knows; dates and keys are texts there.
    plain = json.loads(json.dumps([{name: row.get(name) for name in fields} for row in rows], default=_plain))
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(plain, Dumper=dumper, allow_unicode=True, sort_keys=False, width=1_000_000).encode()


def _plain(value: Any) -> str:
    return text_of(value) if isinstance(value, datetime) else str(value)


async def _xlsx(pages: AsyncIterator[Rows], fields: Sequence[str]) -> AsyncIterator[bytes]:
    """The writer wants a whole file; it is kept on disk and sent when it is done."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "in_memory": False,
    }
    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(file, options)
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, fields)
        sheet.freeze_panes(1, 0)
        line = 1
        async for rows in pages:
            kept = rows[: MOST_ROWS_OF_A_SHEET - line + 1]
            await asyncio.to_thread(_write_rows, sheet, line, kept, fields)
            line += len(kept)
        await asyncio.to_thread(book.close)
        file.seek(0)
        while block := await asyncio.to_thread(file.read, _BLOCK):
            yield block


def _write_rows(sheet: Any, first: int, rows: Rows, fields: Sequence[str]) -> None:
    for line, row in enumerate(rows, first):
        for column, name in enumerate(fields):
            value = row.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                sheet.write_string(line, column, text_of(value))
            else:
                sheet.write_number(line, column, value)
