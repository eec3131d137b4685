"""Several small files of a day become one: data that come late make a file each time, and each is opened by a query."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow.parquet as pq

from fleetkeeper.kit.ids import uuid7
from fleetkeeper.settings import Settings
from fleetkeeper.settings.archive import ArchiveSettings
from fleetkeeper.telemetry.archive import queries
from fleetkeeper.telemetry.archive.files import (
    FileNames,
    FileWriter,
    Part,
    Segment,
    open_parquet,
    read_parts,
)
from fleetkeeper.telemetry.archive.queries import Connection, FileRow
from fleetkeeper.telemetry.archive.service import MAX_SAMPLES, Conflict, path_of
from fleetkeeper.telemetry.archive.store import Draft, Store, store_for_new, store_named, writing

# So many small files of a day are worth to be written once more.
FEWEST_FILES = 4
# A file is small while it has less than this share of the rows that a file may have.
_SMALL = 0.25


async def files_to_unite(connection: Connection, limits: ArchiveSettings) -> AsyncIterator[list[FileRow]]:
    """Small files that may become one, of one day each time; oldest day first."""
    small = round(limits.rows_per_file * _SMALL)
    for day in await queries.days_of_small_files(connection, small, FEWEST_FILES):
        some: list[FileRow] = []
        devices: set[UUID] = set()
        for file in await queries.small_files(connection, day, small):
            own = {part.device_id for part in await queries.parts_of_file(connection, file.id)}
            rows = sum(one.rows for one in some) + file.rows
            if len(devices | own) > limits.devices_per_file or rows > limits.rows_per_file:
                if len(some) >= FEWEST_FILES:
                    yield some
                some, devices = [], set()
            some.append(file)
            devices |= own
        if len(some) >= FEWEST_FILES:
            yield some


async def unite_files(connection: Connection, settings: Settings, files: Sequence[FileRow]) -> int:
    """Replace files of one day by one with all that they hold; returns its size in bytes.

    Only for the one that holds the archive's lock. Raises StoreError, DamagedError, FileNotFoundError for an old file,
    and Conflict when one was replaced meanwhile.
    """
    # Of two samples of one moment the one that was archived first came first.
    files = sorted(files, key=lambda file: file.id)
    store, file_id, day = store_for_new(settings), uuid7(), files[0].day
    path = path_of(file_id, day)
    old = [
        (store_named(settings, file.store), file, await queries.parts_of_file(connection, file.id))
        for file in files
    ]
    names = await queries.file_names(
        connection,
        sorted(frozenset().union(*(f.channel_ids for f in files))),
        sorted({part.device_id for _, _, parts in old for part in parts}),
    )
    await queries.begin_file(connection, file_id, day, store.name, path)
    async with writing(store, path) as draft:
        writer = await asyncio.to_thread(_write, old, draft, names)
    async with connection.transaction():
        await queries.register_file(
            connection,
            file_id,
            day,
            writer.parts,
            sorted(writer.channel_ids),
            writer.rows,
            draft.bytes,
            draft.sha256,
        )
        for file in files:
            if not await queries.retire_file(connection, file.id):
                raise Conflict
    return draft.bytes


def _write(
    old: Sequence[tuple[Store, FileRow, Sequence[Part]]], draft: Draft, names: FileNames
) -> FileWriter:
    writer = FileWriter(draft, names)
    held: dict[UUID, list[tuple[pq.ParquetFile, Part]]] = {}
    with ExitStack() as stack:
        for store, file, parts in old:
            parquet = open_parquet(stack.enter_context(store.open(file.path)), file.rows)
            for part in parts:
                held.setdefault(part.device_id, []).append((parquet, part))
        for device_id in sorted(held):
            for channels in _slices(held[device_id], names.channels):
                _add(writer, held[device_id], channels)
        writer.close()
    return writer


def _slices(held: Sequence[tuple[Any, Part]], channels: Mapping[int, Any]) -> list[frozenset[int] | None]:
    """All channels of a device together, or one by one where memory asks for it."""
    if sum(part.rows for _, part in held) <= MAX_SAMPLES:
        return [None]
    return [frozenset((channel,)) for channel in sorted(channels)]


def _add(
    writer: FileWriter, held: Sequence[tuple[pq.ParquetFile, Part]], channels: frozenset[int] | None
) -> None:
    series: dict[int, list[Segment]] = {}
    for parquet, part in held:
        for segment in read_parts(parquet, [part], channels):
            series.setdefault(segment.channel_id, []).append(segment)
    for _, some in sorted(series.items()):
        writer.add(_joined(some))


def _joined(segments: Sequence[Segment]) -> Segment:
    if len(segments) == 1:
        return segments[0]
    # `unique` names the first of equals.
    times, order = np.unique(np.concatenate([one.times for one in segments]), return_index=True)
    values = np.concatenate([one.values for one in segments])[order]
    return Segment(segments[0].device_id, segments[0].channel_id, times, values)
