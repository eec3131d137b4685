"""Chunks become files, and each sample stays readable exactly once."""

import hashlib
from uuid import UUID

import duckdb
import numpy as np
import psycopg
import pyarrow.parquet as pq
import pytest
from psycopg import AsyncConnection

from fleetkeeper.telemetry.archive import files, queries, service
from fleetkeeper.telemetry.archive.files import ChannelName, FileNames
from fleetkeeper.telemetry.archive.reading import Unreadable
from fleetkeeper.telemetry.chunks import queries as chunks
from fleetkeeper.telemetry.chunks.blocks import DAY, Block
from fleetkeeper.telemetry.chunks.jobs import sealing_connection
from fleetkeeper.telemetry.host_mark import HOST_MARK
from tests.factories.archive import DAY_NUMBER, ArchivedStore
from tests.factories.telemetry import make_device, moment
from tests.telemetry.chunks.test_sealing import MINUTE, START, ramp

SPECIAL = [0x7FF0_0000_0000_0002, 0x7FF8_0000_0000_0000, 0x7FF0_0000_0000_0000, 0x8000_0000_0000_0000, 1]


@pytest.fixture
def store(connection, app_url, tmp_path) -> ArchivedStore:
    return ArchivedStore(connection, app_url, tmp_path)


class TestArchiving:
    async def test_chunks_leave_and_samples_stay(self, store):
        store.add(store.layout("a", "b"), ramp(300))
        await store.settle()
        before = await store.read_all()
        assert len(before["a"]) == 300
        done = await store.archive()
        assert (done.samples, done.devices, done.chunks) == (600, 1, 2)
        assert store.count("chunks") == 0
        assert await store.read() == before
        assert await store.read_all() == before

    async def test_the_table_knows_the_file(self, store):
        store.add(store.layout("a"), ramp(30, width=1))
        await store.settle()
        await store.archive()
        [path] = store.files()
        [(known, rows, devices, size, sha256)] = store.live()
        assert store.folder / known == path
        assert known.startswith("day=2024-10-04/")
        assert (rows, devices, size) == (30, 1, path.stat().st_size)
        assert sha256 == hashlib.sha256(path.read_bytes()).digest()
        assert path.stat().st_mode & 0o777 == 0o600

    async def test_a_stranger_can_read_it(self, store):
        store.add(store.layout("a", "b"), ramp(30))
        await store.settle()
        await store.archive()
        rows = duckdb.execute(
            "SELECT device_id, channel, metric, labels, count(*), max(value), min(ts)::varchar, min(epoch_us(ts)) "
            f"FROM '{store.folder}/*/*.parquet' GROUP BY ALL ORDER BY channel"
        ).fetchall()
        assert [row[:6] for row in rows] == [
            (str(store.device), "a", "a", "{}", 30, 58.0),
            (str(store.device), "b", "b", "{}", 30, 59.0),
        ]
        assert rows[0][7] == START
        assert pq.read_schema(store.files()[0]).field("ts").type == files.SCHEMA.field("ts").type

    async def test_every_bit_of_a_value_comes_back(self, store):
        values = np.array(SPECIAL, np.uint64).view(np.float64)
        store.layout("a")
        store.connection.execute("SELECT create_chunk_partition('2024-10-04')")
        block = Block(START + np.arange(len(values)) * MINUTE, {store.channels("a")[0]: values})
        async with sealing_connection(store.app_url) as connection:
            await chunks.store_blocks(connection, {store.device: [block]})
        await store.archive()
        found = (await store.read_archive())["a"]
        bits = np.array(list(found.values())).view(np.uint64)
        assert bits.tolist() == SPECIAL

    async def test_only_the_wanted_channels_go(self, store):
        store.add(store.layout("a", "b"), ramp(30))
        await store.settle()
        before = await store.read_all()
        await store.archive("a")
        assert await store.read() == before
        assert await store.read_all() == before
        assert store.count("chunks") == 2
        await store.archive("b")
        assert store.count("chunks") == 0
        assert await store.read_all() == before

    async def test_a_day_whose_rollups_wait_is_left(self, store):
        store.add(store.layout("a"), ramp(30, width=1))
        await store.seal()
        done = await store.archive()
        assert (done.samples, done.file_id) == (0, None)
        assert store.count("chunks") == 2
        assert store.files() == []
        assert store.count("archive_files") == 0

    async def test_many_devices_share_a_file(self, store):
        devices = [store.device, *[make_device(store.connection) for _ in range(3)]]
        own = {}
        for number, device in enumerate(devices):
            store.device = device
            store.add(store.layout("a", "b"), ramp(20 + number))
            await store.settle()
            own[device] = await store.read_all()
        done = await store.archive(devices=devices)
        assert done.devices == 4
        assert len(store.files()) == 1
        for device in devices:
            store.device = device
            assert await store.read_all() == own[device]

    async def test_long_series_go_over_row_groups(self, store, monkeypatch):
        monkeypatch.setattr(files, "ROWS_PER_GROUP", 100)
        monkeypatch.setattr(files, "ROWS_PER_SMALL_GROUP", 60)
        monkeypatch.setattr(service, "MAX_SAMPLES", 500)
        first = store.device
        store.add(store.layout("a", "b", "c"), ramp(250, width=3))
        await store.settle()
        before = await store.read_all()
        store.device = make_device(store.connection)
        store.add(store.layout("a"), ramp(7, width=1))
        await store.settle()
        await store.archive(devices=[first, store.device])
        assert len((await store.read_archive())["a"]) == 7
        store.device = first
        assert await store.read_all() == before
        assert pq.read_metadata(store.files()[0]).num_row_groups == 8

    async def test_a_range_of_some_channels(self, store):
        store.add(store.layout("a", "b"), ramp(60))
        await store.settle()
        await store.archive()
        found = await store.read_archive("b", start_us=START + 10 * MINUTE, end_us=START + 12 * MINUTE)
        assert found == {"b": {START + 10 * MINUTE: 21.0, START + 11 * MINUTE: 23.0}}

    async def test_only_row_groups_of_the_channel_are_read(self, store, monkeypatch):
        monkeypatch.setattr(files, "ROWS_PER_GROUP", 60)
        store.add(store.layout("a", "b", "c"), ramp(60, width=3))
        await store.settle()
        await store.archive()
        read = self.groups_read(monkeypatch)
        await store.read_archive("b")
        assert read == [[1]]

    def groups_read(self, monkeypatch) -> list[list[int]]:
        """Row groups that are read from here on, together what is read in one go."""
        read: list[list[int]] = []
        inner = files._cut

        def noted(file, pieces, *rest):
            read.append([piece.group for piece in pieces])
            return inner(file, pieces, *rest)

        monkeypatch.setattr(files, "_cut", noted)
        return read

    async def test_regular_channels_begin_row_groups_of_their_own(self, store, monkeypatch):
        monkeypatch.setattr(files, "ROWS_PER_CHANNEL_GROUP", 50)
        store.add(store.layout("a", "b", "c"), ramp(60, width=3))
        await store.settle()
        before = await store.read_all()
        await store.archive()
        assert pq.read_metadata(store.files()[0]).num_row_groups == 3
        read = self.groups_read(monkeypatch)
        assert (await store.read_archive("c")).keys() == {"c"}
        assert read == [[2]]
        assert await store.read_all() == before

    async def test_channels_whose_times_tremble_share_a_row_group(self, store, monkeypatch):
        monkeypatch.setattr(files, "ROWS_PER_CHANNEL_GROUP", 50)
        shaken = {at + n * n * 37 % 1000: row for n, (at, row) in enumerate(ramp(60, width=3).items())}
        store.add(store.layout("a", "b", "c"), shaken)
        await store.settle()
        before = await store.read_all()
        await store.archive()
        assert pq.read_metadata(store.files()[0]).num_row_groups == 1
        assert await store.read_all() == before

    async def test_small_devices_are_read_in_one_go(self, store, monkeypatch):
        devices = [store.device, *[make_device(store.connection) for _ in range(4)]]
        for number, device in enumerate(devices):
            store.device = device
            store.add(store.layout("a", "b"), ramp(20 + number))
            await store.settle()
        await store.archive(devices=devices)
        read = self.groups_read(monkeypatch)
        (path,) = store.files()
        parts = [files.Part(device, 0, 0, 0, 0) for device in sorted(devices)]
        place = 0
        for part in parts:
            part.first_row, part.rows = place, 2 * (20 + devices.index(part.device_id))
            place += part.rows
        with files.open_parquet(path, place) as file:
            found = files.read_parts(file, parts, None)
        assert [(one.device_id, len(one.times)) for one in found] == [
            (part.device_id, part.rows // 2) for part in parts for _ in "ab"
        ]
        assert read == [[0] * 5]


class TestLateSamples:
    async def test_they_come_into_a_file_of_their_own(self, store):
        layout = store.layout("a", "b")
        rows = ramp(60)
        late = {at: rows.pop(at) for at in sorted(rows)[20:40]}
        store.add(layout, rows)
        await store.settle()
        await store.archive()
        store.add(layout, late)
        await store.settle()
        whole = await store.read_all()
        assert len(whole["a"]) == 60
        done = await store.archive()
        assert done.samples == 40
        assert len(store.live()) == 2
        assert store.count("chunks") == 0
        assert await store.read_all() == whole

    async def test_a_repeated_frame_changes_nothing(self, store):
        layout = store.layout("a", "b")
        store.add(layout, ramp(20))
        await store.settle()
        await store.archive()
        before = await store.read_all()
        store.add(layout, {START: [-1.0, -1.0]})
        await store.settle()
        assert await store.read_all() == before
        done = await store.archive()
        assert (done.file_id, done.chunks) == (None, 2)
        assert store.count("chunks") == 0
        assert await store.read_all() == before
        assert len(store.files()) == 1

    async def test_rollups_count_archived_samples_too(self, store):
        layout = store.layout("a")
        store.add(layout, {START: [1.0], START + MINUTE: [2.0]})
        await store.settle()
        await store.archive()
        store.add(layout, {START + 2 * MINUTE: [6.0]})
        await store.settle()
        assert (await store.hour_sums())["a"] == {START // (DAY // 24) * (DAY // 24): (3, 9.0)}


class TestDamage:
    async def test_a_missing_file_is_named_and_the_rest_answers(self, store):
        layout = store.layout("a")
        store.add(layout, ramp(10, width=1))
        store.add(layout, ramp(10, START + DAY, width=1))
        await store.settle()
        await store.archive()
        await store.archive(day=DAY_NUMBER + 1)
        gone = store.files()[0]
        gone.unlink()
        problems: list[Unreadable] = []
        found = await store.read_archive(unreadable=problems)
        assert sorted(found["a"]) == [START + DAY + n * MINUTE for n in range(10)]
        assert [problem.day for problem in problems] == [DAY_NUMBER]
        assert "2024-10-04" in problems[0].message
        assert "not there" in problems[0].message

    @pytest.mark.parametrize("kind", ["cut", "garbage", "flipped"])
    async def test_a_damaged_file_is_named(self, store, kind):
        store.add(store.layout("a"), ramp(500, width=1))
        await store.settle()
        await store.archive()
        [path] = store.files()
        data = bytearray(path.read_bytes())
        if kind == "cut":
            data = data[: len(data) // 2]
        elif kind == "garbage":
            data = bytearray(b"not parquet")
        else:
            data[len(data) - 8 - 40] ^= 0xFF
            data[10:200] = bytes(190)
        path.write_bytes(data)
        problems: list[Unreadable] = []
        assert await store.read_archive(unreadable=problems) == {}
        assert [problem.path for problem in problems] == [str(path.relative_to(store.folder))]

    async def test_late_samples_wait_while_their_day_cannot_be_read(self, store):
        layout = store.layout("a")
        store.add(layout, ramp(10, width=1))
        await store.settle()
        await store.archive()
        store.files()[0].write_bytes(b"nothing")
        store.add(layout, {START + 30 * MINUTE: [5.0]})
        await store.seal()
        store.connection.execute("DELETE FROM rollup_changes")
        done = await store.archive()
        assert done.samples == 0
        assert "cannot be read" in done.problems[0]
        assert store.count("chunks") == 2

    @pytest.mark.parametrize(
        "path",
        ["../../etc/passwd", "day=2024-10-04/../../x.parquet", "/etc/passwd", "day=2024-10-04/x.parquet"],
    )
    async def test_a_path_of_another_shape_is_refused(self, store, path):
        store.add(store.layout("a"), ramp(10, width=1))
        await store.settle()
        await store.archive()
        store.connection.execute("UPDATE archive_files SET path = %s", (path,))
        problems: list[Unreadable] = []
        assert await store.read_archive(unreadable=problems) == {}
        assert "not of its kind" in problems[0].reason

    async def test_a_link_out_of_the_folder_is_refused(self, store, tmp_path):
        store.add(store.layout("a"), ramp(10, width=1))
        await store.settle()
        await store.archive()
        folder = store.files()[0].parent
        elsewhere = tmp_path / "elsewhere"
        folder.rename(elsewhere)
        folder.symlink_to(elsewhere)
        problems: list[Unreadable] = []
        assert await store.read_archive(unreadable=problems) == {}
        assert "leads out" in problems[0].reason


def kill_at(monkeypatch, owner, step: str, store: ArchivedStore) -> None:
    """Let a step end as the server sees a client that was killed right after it: with its connection gone."""
    inner = getattr(owner, step)

    async def killed(connection: AsyncConnection, *arguments, **more):
        await inner(connection, *arguments, **more)
        store.connection.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        await connection.execute("SELECT 1")

    monkeypatch.setattr(owner, step, killed)


STEPS = ["begin_file", "waits_for_rollups", "chunk_channels", "register_file", "delete_channels"]


class TestKilled:
    @pytest.mark.parametrize("step", STEPS)
    async def test_at_each_step_nothing_is_lost_or_doubled(self, store, monkeypatch, step):
        layout = store.layout("a", "b")
        store.add(layout, ramp(20))
        await store.settle()
        await store.archive()
        store.add(layout, ramp(20, START + 10 * MINUTE + 1))
        await store.settle()
        before = await store.read_all()
        with monkeypatch.context() as patched:
            kill_at(patched, queries, step, store)
            with pytest.raises(psycopg.OperationalError):
                await store.archive()
        assert await store.read_all() == before
        assert len(store.live()) == 1
        removed, problems = await store.clean()
        assert (removed, problems) == (1, [])
        assert len(store.files()) == 1
        assert not list(store.folder.rglob("*.partial"))
        assert (await store.archive()).samples == 40
        assert await store.read_all() == before
        assert store.count("chunks") == 0

    @pytest.mark.parametrize("step", ["begin_file", "register_file", "retire_file"])
    async def test_while_a_file_is_rewritten(self, store, monkeypatch, step):
        store.add(store.layout("a", "b"), ramp(20))
        await store.settle()
        await store.archive()
        before = await store.read_all()
        [b] = store.channels("b")
        with monkeypatch.context() as patched:
            kill_at(patched, queries, step, store)
            with pytest.raises(psycopg.OperationalError):
                await store.rewrite(lambda segment: None if segment.channel_id == b else segment)
        assert await store.read_all() == before
        await store.clean()
        assert len(store.files()) == 1
        await store.rewrite(lambda segment: None if segment.channel_id == b else segment)
        assert await store.read_all() == {"a": before["a"]}
        assert len(store.files()) == 2
        await store.clean()
        assert len(store.files()) == 1
        assert await store.read_all() == {"a": before["a"]}

    async def test_a_file_with_nothing_left_goes(self, store):
        store.add(store.layout("a"), ramp(20, width=1))
        await store.settle()
        await store.archive()
        await store.rewrite(lambda segment: None)
        assert await store.read_all() == {}
        await store.clean()
        assert (store.files(), store.count("archive_files"), store.count("archive_parts")) == ([], 0, 0)


def test_the_start_is_where_the_tests_think_it_is():
    assert moment(START).date().isoformat() == "2024-10-04"


def test_files_have_labels_as_they_go_out():
    device, other = UUID(int=1), UUID(int=2)
    stored = ChannelName(f'up{{instance="{HOST_MARK}:1"}}', "up", {"instance": f"{HOST_MARK}:1"}, "system")
    names = FileNames({1: stored, 2: ChannelName("b", "b", {})}, {device: "web1", other: "web2"})
    assert names.of(device, 1) == ChannelName('up{instance="web1:1"}', "up", {"instance": "web1:1"}, "system")
    assert names.of(other, 1).labels == {"instance": "web2:1"}
    assert names.of(device, 2) == ChannelName("b", "b", {})
    assert names.of(device, 3).key == "channel 3"
