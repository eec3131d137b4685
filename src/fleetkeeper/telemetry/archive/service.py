"""Moving chunks into files, rewriting files, and removing them: each step can be cut off anywhere and done again.

A file is announced before it is written, is made whole, and counts from the transaction that deletes what it replaces:
chunks, or another file. What was announced and does not count is removed by whoever comes next.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import IsolationLevel

from fleetkeeper.kit.ids import uuid7
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive import queries
from fleetkeeper.telemetry.archive.files import (
    FileNames,
    FileWriter,
    Segment,
    iterate_part,
    open_parquet,
)
from fleetkeeper.telemetry.archive.queries import Connection, FileRow
from fleetkeeper.telemetry.archive.reading import Unreadable, read_archived
from fleetkeeper.telemetry.archive.store import (
    Draft,
    Store,
    StoreError,
    store_for_new,
    store_named,
    writing,
)
from fleetkeeper.telemetry.chunks import queries as chunks
from fleetkeeper.telemetry.chunks.blocks import DAY, Block
from fleetkeeper.telemetry.chunks.codec import is_missing

# Samples of one device's day that are held in memory at once.
MAX_SAMPLES = 4_000_000
# A file that was replaced stays for readers who have just looked it up (seconds).
GRACE_SECONDS = 300.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Keep = Callable[[Segment], Segment | None]


class Conflict(Exception):  # noqa: N818 - it is no error: somebody else was faster
    """What a step wanted to replace was replaced meanwhile; the next run looks again."""


@dataclass(frozen=True)
class Archived:
    """What one step did."""

    file_id: UUID | None = None
    devices: int = 0
    samples: int = 0
    chunks: int = 0
    size_bytes: int = 0
    problems: tuple[str, ...] = ()


def path_of(file_id: UUID, day: int) -> str:
    """Where a file goes: a folder per day, as readers of partitioned data sets expect."""
    return f"day={_EPOCH + timedelta(days=day):%Y-%m-%d}/{file_id}.parquet"


async def archive_day(
    connection: Connection, settings: Settings, day: int, wanted: Mapping[UUID, Sequence[int]]
) -> Archived:
    """Move a day's chunks of some devices, of each those of the wanted channels, into one file.

    Devices that somebody else is at are left for the next run. The connection must be idle. Raises StoreError.
    """
    store, file_id = store_for_new(settings), uuid7()
    path = path_of(file_id, day)
    every = {channel for channels in wanted.values() for channel in channels}
    names = await queries.file_names(connection, sorted(every), sorted(wanted))
    await queries.begin_file(connection, file_id, day, store.name, path)
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    problems: list[str] = []
    deleted = 0
    async with connection.transaction():
        moved: dict[UUID, list[int]] = {}
        async with writing(store, path) as draft:
            writer = FileWriter(draft, names)
            for device_id in sorted(wanted):
                if not await chunks.lock_device(connection, device_id):
                    continue
                if await queries.waits_for_rollups(connection, device_id, day):
                    continue
                taken = await _add_device(
                    connection, settings, writer, device_id, day, wanted[device_id], problems
                )
                if taken:
                    moved[device_id] = taken
            await asyncio.to_thread(writer.close)
        if writer.parts:
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
        for device_id, channel_ids in moved.items():
            deleted += await queries.delete_channels(connection, device_id, day, channel_ids)
    if not writer.parts:
        await _discard(connection, store, file_id, path)
        return Archived(devices=len(moved), chunks=deleted, problems=tuple(problems))
    return Archived(file_id, len(moved), writer.rows, deleted, draft.bytes, tuple(problems))


async def _add_device(
    connection: Connection,
    settings: Settings,
    writer: FileWriter,
    device_id: UUID,
    day: int,
    wanted: Sequence[int],
    problems: list[str],
) -> list[int]:
    """Add a device's samples to a file, without moments that are archived already; returns the channels."""
    held = (await queries.chunk_channels(connection, [device_id], day)).get(device_id, [])
    channels = sorted({channel for channel, *_ in held} & set(wanted))
    samples = {channel: count for channel, count, *_ in held}
    parts = await queries.live_parts(connection, [device_id], day, day + 1)
    taken: list[int] = []
    for some in _slices(channels, samples):
        segments = segments_of(
            device_id, some, await chunks.read_blocks(connection, device_id, day * DAY, (day + 1) * DAY, some)
        )
        if parts:
            unreadable: list[Unreadable] = []
            known = await read_archived(
                partial(queries.live_parts, connection),
                settings,
                [device_id],
                some,
                day * DAY,
                (day + 1) * DAY,
                unreadable=unreadable,
            )
            if unreadable:
                # What is there cannot be told; the chunks stay where they are.
                problems.extend(problem.message for problem in unreadable)
                continue
            segments = [_without(segment, known.get(device_id, [])) for segment in segments]
        await asyncio.to_thread(_add_all, writer, segments)
        taken += some
    return taken


def _slices(channels: Sequence[int], samples: Mapping[int, int]) -> list[list[int]]:
    slices: list[list[int]] = []
    total = MAX_SAMPLES
    for channel in channels:
        if total + samples[channel] > MAX_SAMPLES:
            slices.append([])
            total = 0
        slices[-1].append(channel)
        total += samples[channel]
    return slices


def _add_all(writer: FileWriter, segments: Sequence[Segment]) -> None:
    for segment in segments:
        writer.add(segment)


def segments_of(device_id: UUID, channels: Sequence[int], blocks: Sequence[Block]) -> list[Segment]:
    """The series of channels in blocks, each whole and in the order of time."""
    segments = []
    for channel in channels:
        times, values = [], []
        for block in blocks:
            column = block.columns.get(channel)
            if column is not None:
                present = ~is_missing(column)
                times.append(block.times[present])
                values.append(column[present])
        if not times:
            continue
        all_times, all_values = np.concatenate(times), np.concatenate(values)
        if len(all_times) > 1 and (np.diff(all_times) <= 0).any():
            all_times, order = np.unique(all_times, return_index=True)
            all_values = all_values[order]
        segments.append(Segment(device_id, channel, all_times, all_values))
    return segments


def _without(segment: Segment, known: Sequence[Block]) -> Segment:
    """A segment without the moments that are archived already: they came first."""
    times = [block.times for block in known if segment.channel_id in block.columns]
    if not times:
        return segment
    new = ~np.isin(segment.times, np.concatenate(times))
    return Segment(segment.device_id, segment.channel_id, segment.times[new], segment.values[new])


async def rewrite_file(connection: Connection, settings: Settings, file: FileRow, keep: Keep) -> Archived:
    """Replace a file by one with what `keep` leaves of each of its pieces; by none, if nothing is left.

    Raises StoreError, DamagedError, FileNotFoundError for the old file, and Conflict when it was replaced meanwhile.
    """
    old_store, store, file_id = store_named(settings, file.store), store_for_new(settings), uuid7()
    path = path_of(file_id, file.day)
    parts = await queries.parts_of_file(connection, file.id)
    names = await queries.file_names(connection, sorted(file.channel_ids), [part.device_id for part in parts])
    await queries.begin_file(connection, file_id, file.day, store.name, path)

    async with writing(store, path) as draft:
        writer = await asyncio.to_thread(_copy, old_store, file, parts, draft, names, keep)
    async with connection.transaction():
        if writer.parts:
            await queries.register_file(
                connection,
                file_id,
                file.day,
                writer.parts,
                sorted(writer.channel_ids),
                writer.rows,
                draft.bytes,
                draft.sha256,
            )
        if not await queries.retire_file(connection, file.id):
            raise Conflict
    if not writer.parts:
        await _discard(connection, store, file_id, path)
        return Archived(samples=file.rows, size_bytes=file.size_bytes)
    return Archived(file_id, len(writer.parts), file.rows - writer.rows, 0, file.size_bytes - draft.bytes)


def _copy(
    store: Store,
    file: FileRow,
    parts: Sequence[Any],
    draft: Draft,
    names: FileNames,
    keep: Keep,
) -> FileWriter:
    writer = FileWriter(draft, names)
    with store.open(file.path) as source:
        parquet = open_parquet(source, file.rows)
        for part in parts:
            for segment in iterate_part(parquet, part):
                kept = keep(segment)
                if kept is not None:
                    writer.add(kept)
        writer.close()
    return writer


async def retire(connection: Connection, file_id: UUID) -> bool:
    """Let a whole file no longer count."""
    async with connection.transaction():
        return await queries.retire_file(connection, file_id)


async def remove_leftovers(
    connection: Connection, settings: Settings, *, grace_seconds: float = GRACE_SECONDS
) -> tuple[int, list[str]]:
    """Remove files that do not count, of killed writers too; returns how many, and what went wrong.

    Only for the one that holds the archive's lock: another's file may be on its way.
    """
    removed, problems = 0, []
    for file_id, name, path in await queries.leftover_files(connection, grace_seconds):
        try:
            await asyncio.to_thread(store_named(settings, name).delete, path)
        except StoreError as error:
            problems.append(f"{path} could not be removed: {error}")
            continue
        await queries.forget_file(connection, file_id)
        removed += 1
    return removed, problems


async def _discard(connection: Connection, store: Store, file_id: UUID, path: str) -> None:
    await asyncio.to_thread(store.delete, path)
    await queries.forget_file(connection, file_id)
