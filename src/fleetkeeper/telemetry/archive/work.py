"""What the policies ask to be done, piece by piece: the same for a run that does it and for one that only tells."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID

from fleetkeeper.telemetry.archive import keeping_queries, queries
from fleetkeeper.telemetry.archive.policies import DeviceKind, Keeping, Rules
from fleetkeeper.telemetry.archive.queries import Connection, FileRow
from fleetkeeper.telemetry.rollups.periods import Tier, end_of

_AT_ONCE = 500
ARCHIVE, REMOVE = "archive", "remove"
CHUNKS, FILES = "chunks", "archive"
NIL = UUID(int=0)


@dataclass
class Amount:
    """How much of a tier a policy moves or removes."""

    devices: set[UUID] = field(default_factory=set)
    pieces: int = 0
    samples: int = 0
    size_bytes: int = 0

    def add(self, device_id: UUID, pieces: int, samples: int, size_bytes: int) -> None:
        """Count some more."""
        self.devices.add(device_id)
        self.pieces += pieces
        self.samples += samples
        self.size_bytes += size_bytes


Told = dict[tuple[int, str, str], Amount]


def amount(told: Told, policy_id: int, action: str, tier: str) -> Amount:
    """The amount of a policy, an action (archive, remove) and a tier, made when it is first asked for."""
    return told.setdefault((policy_id, action, tier), Amount())


@dataclass(frozen=True)
class Scope:
    """What work is decided by."""

    rules: Rules
    groups: Mapping[int, str]
    departments: Mapping[UUID, tuple[UUID, ...]]

    def keeping(self, channel_id: int, kind: DeviceKind) -> Keeping:
        """What holds for a channel of a kind of device."""
        return self.rules.keeping(self.groups.get(channel_id, ""), kind)


async def read_scope(connection: Connection, today: int) -> Scope:
    """Policies, metric groups and departments as they are now."""
    return Scope(
        Rules(await keeping_queries.read_policies(connection), today),
        await keeping_queries.groups_of_channels(connection),
        await keeping_queries.department_paths(connection),
    )


@dataclass
class Batch:
    """Chunks of one day that belong into one file: the channels by device, and how much they are."""

    day: int
    wanted: dict[UUID, list[int]] = field(default_factory=dict)
    samples: int = 0
    told: Told = field(default_factory=dict)


async def batches_to_archive(
    connection: Connection, scope: Scope, *, devices_per_file: int, rows_per_file: int
) -> AsyncIterator[Batch]:
    """Chunks that belong into files, oldest day first."""
    until, after = scope.rules.latest_archive_day, (-1, NIL)
    batch: Batch | None = None
    while True:
        rows = await queries.chunk_days(connection, until, after, _AT_ONCE)
        for day, pairs in groupby(rows, key=lambda row: row[0]):
            devices = [device for _, device in pairs]
            kinds = await keeping_queries.kinds_of_devices(connection, devices, scope.departments)
            held = await queries.chunk_channels(connection, devices, day)
            for device_id in devices:
                due = [
                    one
                    for one in held.get(device_id, [])
                    if scope.keeping(one[0], kinds[device_id]).is_archived(day)
                ]
                if not due:
                    continue
                if batch is not None and (
                    batch.day != day
                    or len(batch.wanted) >= devices_per_file
                    or batch.samples >= rows_per_file
                ):
                    yield batch
                    batch = None
                batch = batch or Batch(day)
                batch.wanted[device_id] = [channel for channel, *_ in due]
                for channel, samples, pieces, size in due:
                    policy = scope.keeping(channel, kinds[device_id]).policy
                    amount(batch.told, policy.id, ARCHIVE, CHUNKS).add(device_id, pieces, samples, size)
                    batch.samples += samples
        if len(rows) < _AT_ONCE:
            break
        after = rows[-1]
    if batch is not None:
        yield batch


@dataclass(frozen=True)
class RawRemoval:
    """Chunks of a device that go: of these channels (all of one metric group) those before a day."""

    device_id: UUID
    policy_id: int
    group: str
    before: int
    channel_ids: tuple[int, ...]
    pieces: int
    samples: int
    size_bytes: int


async def raw_to_remove(connection: Connection, scope: Scope) -> AsyncIterator[list[RawRemoval]]:
    """What goes of each device's chunks, a device at a time."""
    until, after = scope.rules.latest_raw_day, NIL
    while True:
        devices = await keeping_queries.devices_with_old_chunks(connection, until, after, _AT_ONCE)
        kinds = await keeping_queries.kinds_of_devices(connection, devices, scope.departments)
        for device_id in devices:
            found: dict[str, list[tuple[int, int, int, int]]] = {}
            rows = await keeping_queries.old_channels(connection, device_id, until)
            for channel, day, samples, pieces, size in rows:
                if scope.keeping(channel, kinds[device_id]).is_removed(day):
                    found.setdefault(scope.groups.get(channel, ""), []).append(
                        (channel, pieces, samples, size)
                    )
            removals = []
            for group, some in found.items():
                keeping = scope.rules.keeping(group, kinds[device_id])
                removals.append(
                    RawRemoval(
                        device_id,
                        keeping.policy.id,
                        group,
                        keeping.raw_before or 0,
                        tuple(sorted({channel for channel, *_ in some})),
                        sum(one[1] for one in some),
                        sum(one[2] for one in some),
                        sum(one[3] for one in some),
                    )
                )
            if removals:
                yield removals
        if len(devices) < _AT_ONCE:
            return
        after = devices[-1]


@dataclass(frozen=True)
class FileRemoval:
    """A file of which something goes: of each device these metric groups; all of it, when `is_whole`."""

    file: FileRow
    gone: Mapping[UUID, frozenset[str]]
    is_whole: bool
    told: Told


async def files_to_shrink(connection: Connection, scope: Scope) -> AsyncIterator[FileRemoval]:
    """Files that hold something past its time, oldest first."""
    until, after = scope.rules.latest_raw_day, (-1, NIL)
    while True:
        files = await queries.live_files(connection, until, after, _AT_ONCE)
        for file in files:
            parts = await keeping_queries.devices_of_file(connection, file.id)
            kinds = await keeping_queries.kinds_of_devices(
                connection, [device for device, *_ in parts], scope.departments
            )
            gone: dict[UUID, frozenset[str]] = {}
            told: Told = {}
            is_whole = True
            for device_id, rows, groups in parts:
                past = [
                    group
                    for group in groups
                    if scope.rules.keeping(group, kinds[device_id]).is_removed(file.day)
                ]
                is_whole = is_whole and len(past) == len(groups)
                for group in past:
                    # How many rows are of which group is known only inside; shares are near enough to be told.
                    share = rows / len(groups)
                    policy = scope.rules.keeping(group, kinds[device_id]).policy
                    amount(told, policy.id, REMOVE, FILES).add(
                        device_id, 1, round(share), round(file.size_bytes * share / max(file.rows, 1))
                    )
                if past:
                    gone[device_id] = frozenset(past)
            if gone:
                yield FileRemoval(file, gone, is_whole, told)
        if len(files) < _AT_ONCE:
            return
        after = files[-1].day, files[-1].id


@dataclass(frozen=True)
class RollupRemoval:
    """Channels that go of a device's rollups of one period."""

    device_id: UUID
    tier: Tier
    day: int
    channel_ids: frozenset[int]
    is_whole: bool
    told: Told


async def rollups_to_remove(connection: Connection, scope: Scope, tier: Tier) -> AsyncIterator[RollupRemoval]:
    """Rollups past their time, of one tier."""
    until, after = scope.rules.latest_rollup_day(tier), (NIL, 0)
    while until > 0:
        rows = await keeping_queries.old_rollups(connection, tier, until, after, _AT_ONCE)
        kinds = await keeping_queries.kinds_of_devices(
            connection, {row[0] for row in rows}, scope.departments
        )
        for device_id, day, channels, size in rows:
            past = _past_channels(scope, kinds[device_id], tier, day, channels)
            if past:
                told: Told = {}
                for channel, policy_id in past.items():
                    amount(told, policy_id, REMOVE, tier.name.lower()).add(
                        device_id, 0, 0, round(size / len(channels))
                    )
                    told[policy_id, REMOVE, tier.name.lower()].pieces = 1
                    del channel
                yield RollupRemoval(device_id, tier, day, frozenset(past), len(past) == len(channels), told)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][0], rows[-1][1]


def _past_channels(
    scope: Scope, kind: DeviceKind, tier: Tier, day: int, channels: Sequence[int]
) -> dict[int, int]:
    """The channels whose rollups of a period are past their time, each with its policy."""
    end = end_of(tier, day)
    past = {}
    for channel in channels:
        keeping = scope.keeping(channel, kind)
        if end <= keeping.rollups_before.get(tier, 0):
            past[channel] = keeping.policy.id
    return past


def add_up(into: Told, some: Told) -> None:
    """Add amounts to others."""
    for key, one in some.items():
        whole = into.setdefault(key, Amount())
        whole.devices |= one.devices
        whole.pieces += one.pieces
        whole.samples += one.samples
        whole.size_bytes += one.size_bytes
