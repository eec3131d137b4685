"""Reads archived samples: of the asked devices and channels only, by the index and the row groups' statistics.

Read hot frames first, then chunks, then the archive: what moves in between is met twice, and never missed. Of two
samples of one moment the archived one came first.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from threading import Lock
from typing import Any
from uuid import UUID

import numpy as np
import structlog

from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive.files import DamagedError, Segment, open_parquet, read_parts
from fleetkeeper.telemetry.archive.queries import LivePart
from fleetkeeper.telemetry.archive.store import StoreError, store_named
from fleetkeeper.telemetry.chunks.blocks import DAY, Block
from fleetkeeper.telemetry.resample import Times

log = structlog.get_logger(__name__)

# Footers of files that never change: 600 bytes for each of their row groups.
_FOOTERS_KEPT_BYTES = 32 * 1024 * 1024
_footers: OrderedDict[UUID, Any] = OrderedDict()
_footers_lock = Lock()


@dataclass(frozen=True)
class Unreadable:
    """A part of the archive that could not be read: the day (number since 1970), the file, and why."""

    day: int
    path: str
    reason: str

    @property
    def message(self) -> str:
        """A sentence for people."""
        day = np.datetime64(self.day, "D")
        return f"Archived telemetry of {day} cannot be read from {self.path}: {self.reason}."


FindParts = Callable[[Sequence[UUID], int, int], Awaitable[Sequence[LivePart]]]


async def read_archived(
    find_parts: FindParts,
    settings: Settings,
    device_ids: Sequence[UUID],
    channel_ids: Sequence[int] | None,
    start_us: int,
    end_us: int,
    *,
    unreadable: list[Unreadable] | None = None,
) -> dict[UUID, list[Block]]:
    """Samples of devices in [start, end): of these channels, or of all; oldest day first.

    `find_parts` says where they are (see `live_parts`); files may be far away, so it should hold nothing afterwards.
    Files that are missing or damaged are left out: they are logged and added to `unreadable`.
    """
    found: dict[UUID, list[Block]] = {}
    if not device_ids or end_us <= start_us:
        return found
    wanted = None if channel_ids is None else frozenset(channel_ids)
    first_day, next_day = start_us // DAY, -(-end_us // DAY)
    done: set[tuple[UUID, int, UUID]] = set()
    problems: list[Unreadable] = []
    # A file may be rewritten under our eyes; its successor is found by looking again.
    for _ in range(2):
        problems = []
        parts = await find_parts(device_ids, first_day, next_day)
        todo = [one for one in parts if (one.part.device_id, one.day, one.file_id) not in done]
        for _, group in groupby(todo, key=lambda one: one.file_id):
            in_file = list(group)
            try:
                segments = await asyncio.to_thread(read_file, settings, in_file, wanted)
            except FileNotFoundError:
                problems.append(Unreadable(in_file[0].day, in_file[0].path, "the file is not there"))
                continue
            except (DamagedError, StoreError) as error:
                problems.append(Unreadable(in_file[0].day, in_file[0].path, str(error).rstrip(".")))
                continue
            done.update((one.part.device_id, one.day, one.file_id) for one in in_file)
            for device_id, blocks in blocks_of(segments, start_us, end_us):
                found.setdefault(device_id, []).extend(blocks)
        if not problems:
            break
    for problem in problems:
        log.warning("archived telemetry cannot be read", path=problem.path, reason=problem.reason)
    if unreadable is not None:
        unreadable.extend(problems)
    return found


def read_file(settings: Settings, parts: Sequence[LivePart], wanted: frozenset[int] | None) -> list[Segment]:
    """The samples of some devices in one file. Blocking; raises DamagedError, StoreError and FileNotFoundError."""
    about = parts[0]
    store = store_named(settings, about.store)
    with store.open(about.path) as source:
        with _footers_lock:
            footer = _footers.get(about.file_id)
        file = open_parquet(source, about.file_rows, footer)
        if footer is None:
            with _footers_lock:
                _footers[about.file_id] = file.metadata
                while sum(one.serialized_size for one in _footers.values()) > _FOOTERS_KEPT_BYTES:
                    _footers.popitem(last=False)
        return read_parts(file, [one.part for one in parts], wanted)


def blocks_of(segments: Iterable[Segment], start_us: int, end_us: int) -> Iterable[tuple[UUID, list[Block]]]:
    """Blocks by device: channels that were measured at the same moments share one."""
    for device_id, own in groupby(segments, key=lambda segment: segment.device_id):
        blocks: dict[tuple[int, int, int], list[Block]] = {}
        for segment in own:
            low, high = np.searchsorted(segment.times, (start_us, end_us))
            if low == high:
                continue
            times, values = segment.times[low:high], segment.values[low:high]
            alike = blocks.setdefault((len(times), int(times[0]), int(times[-1])), [])
            block = _block_with(alike, times)
            block.columns[segment.channel_id] = values
        yield device_id, [block for alike in blocks.values() for block in alike]


def _block_with(alike: list[Block], times: Times) -> Block:
    for block in alike:
        if np.array_equal(block.times, times):
            return block
    alike.append(Block(times, {}))
    return alike[-1]
