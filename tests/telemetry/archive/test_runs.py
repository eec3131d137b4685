"""Runs apply the policies: what they tell beforehand is what they do."""

import asyncio

import psycopg
import pytest

from fleetkeeper.database.engine import Database
from fleetkeeper.telemetry.archive import deletion_queries, jobs, runs
from fleetkeeper.telemetry.archive.jobs import Run
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.rollups.periods import Tier
from tests.factories.archive import DAY_NUMBER, ArchivedStore
from tests.factories.telemetry import make_device, moment
from tests.telemetry.chunks.test_sealing import MINUTE, START, ramp
from tests.telemetry.rollups.test_refresh import told


def days_later(days: int) -> float:
    return START / 1e6 + days * 86_400


class Keeper(ArchivedStore):
    """A store whose policies are applied."""

    def policy(self, **columns: object) -> int:
        """A policy that keeps everything, but for these columns."""
        columns = {"archive_enabled": False} | columns
        names = ", ".join(columns)
        values = ", ".join(["%s"] * len(columns))
        row = self.connection.execute(
            f"INSERT INTO archive_policy ({names}) VALUES ({values}) RETURNING id", list(columns.values())
        ).fetchone()
        return row[0]

    def groups(self, **groups: str) -> None:
        for metric, group in groups.items():
            self.connection.execute("UPDATE metrics SET metric_type = %s WHERE name = %s", (group, metric))

    async def apply(self, days: int) -> dict[str, object]:
        database = Database(self.app_url, pool_size=2)
        try:
            found = await runs.retain(database, self.settings, now=days_later(days))
        finally:
            await database.close()
        assert found is not None
        self.connection.execute("UPDATE archive_files SET removed_at = '2020-01-01' WHERE state = 'gone'")
        return {"errors": found.errors} | found.outcome

    async def preview(self, days: int) -> Run:
        return await jobs.preview(self.app_url, self.settings, now=days_later(days))


def lines(run: Run) -> dict:
    return {
        key: (len(one.devices), one.pieces, one.samples)
        for key, one in run.told.items()
        if key[2] != "processes"
    }


def done(outcome: dict) -> dict:
    return {
        (line["policy_id"], line["action"], line["tier"]): (line["devices"], line["pieces"], line["samples"])
        for line in outcome["lines"]
        if line["tier"] != "processes"
    }


@pytest.fixture
def store(connection, app_url, tmp_path) -> Keeper:
    connection.execute("DELETE FROM archive_policy")
    return Keeper(connection, app_url, tmp_path)


class TestRuns:
    async def test_without_policies_nothing_happens(self, store):
        store.add(store.layout("a"), ramp(30, width=1))
        await store.settle()
        outcome = await store.apply(5000)
        assert (outcome["errors"], outcome["lines"]) == ([], [])
        assert len((await store.read())["a"]) == 30

    async def test_from_chunks_to_files_to_nothing(self, store):
        number = store.policy(archive_after_days=10, archive_enabled=True, retention_days=30)
        store.add(store.layout("a", "b"), ramp(30))
        await store.settle()
        before = await store.read_all()
        assert (await store.apply(10))["lines"] == []
        told_before = lines(await store.preview(11))
        assert told_before == {(number, "archive", "chunks"): (1, 2, 60)}
        assert done(await store.apply(11)) == told_before
        assert await store.read_all() == before
        assert store.count("chunks") == 0
        assert (await store.apply(30))["lines"] == []
        told_before = lines(await store.preview(31))
        assert told_before == {(number, "remove", "archive"): (1, 1, 60)}
        assert done(await store.apply(31)) == told_before
        assert await store.read_all() == {}
        await store.apply(31)
        assert (store.files(), store.count("archive_files")) == ([], 0)
        # Rollups have no end here.
        assert (await store.hour_sums())["a"]

    async def test_raw_goes_and_rollups_stay(self, store):
        number = store.policy(downsample_enabled=True, downsample_after_days=7)
        store.add(store.layout("a"), ramp(30, width=1))
        await store.settle()
        sums = await store.hour_sums()
        assert done(await store.apply(8)) == {(number, "remove", "chunks"): (1, 1, 30)}
        assert await store.read_all() == {}
        assert store.count("chunks") == 0
        assert await store.hour_sums() == sums

    async def test_late_samples_do_not_spoil_final_rollups(self, store):
        store.policy(metric_group="test", downsample_enabled=True, downsample_after_days=7)
        layout = store.layout("a", "b")
        store.add(layout, ramp(30))
        store.groups(b="other")
        await store.settle()
        sums = await store.hour_sums()
        await store.apply(8)
        store.add(layout, {START + 40 * MINUTE: [100.0, 100.0]})
        await store.settle()
        hour = START // (DAY // 24) * (DAY // 24)
        after = await store.hour_sums()
        assert after["a"] == sums["a"]
        assert after["b"] == {hour: (31, sums["b"][hour][1] + 100)}
        await store.apply(8)
        assert set(await store.read_all()) == {"b"}

    async def test_each_metric_group_by_its_own_policy(self, store):
        store.add(store.layout("a", "b", "c"), ramp(30, width=3))
        store.groups(a="cpu", b="disk")
        archive = store.policy(metric_group="cpu", archive_after_days=1)
        remove = store.policy(metric_group="disk", archive_enabled=True, retention_days=1)
        store.policy()
        await store.settle()
        before = await store.read_all()
        assert done(await store.apply(5)) == {
            (archive, "archive", "chunks"): (1, 1, 30),
            (remove, "remove", "chunks"): (1, 1, 30),
        }
        assert await store.read() == {"a": before["a"], "c": before["c"]}
        assert await store.read_all() == {"a": before["a"], "c": before["c"]}

    async def test_each_device_type_by_its_own_policy(self, store):
        server, phone = store.device, make_device(store.connection)
        store.connection.execute("UPDATE devices SET device_type = 'phone' WHERE id = %s", (phone,))
        store.policy(archive_after_days=1)
        store.policy(device_type="phone", archive_after_days=1, archive_enabled=True, retention_days=3)
        for device in (server, phone):
            store.device = device
            store.add(store.layout("a"), ramp(30, width=1))
            await store.settle()
        await store.apply(2)
        assert len(store.live()) == 1
        await store.apply(5)
        assert await store.read_all() == {}
        store.device = server
        assert len((await store.read_all())["a"]) == 30
        await store.apply(5)
        assert len(store.files()) == 1
        [name] = [row[0] for row in store.live()]
        await store.apply(6)
        assert [row[0] for row in store.live()] == [name]

    async def test_nothing_leaves_before_its_rollups_are_made(self, store):
        store.policy(archive_enabled=True, retention_days=1)
        store.add(store.layout("a"), ramp(30, width=1))
        await store.seal()
        async with jobs.sealing_connection(store.app_url) as connection:
            scope = await jobs.read_scope(connection, DAY_NUMBER + 10)
            async for removals in jobs.raw_to_remove(connection, scope):
                await jobs._Doing(connection, store.settings, scope, Run()).remove_raw(removals)
        assert len((await store.read())["a"]) == 30

    async def test_whole_months_are_dropped(self, store):
        store.policy(archive_enabled=True, retention_days=30)
        store.add(store.layout("a"), ramp(30, width=1))
        await store.settle()
        outcome = await store.apply(90)
        assert "2024-10" in outcome["dropped_months"]
        assert outcome["dropped_bytes"] > 0
        assert await store.read_all() == {}
        assert (await store.hour_sums())["a"]
        # Late samples of that month find a partition again, and change no rollup.
        sums = await store.hour_sums()
        store.add(store.layout("a"), {START + 50 * MINUTE: [1.0]})
        await store.settle()
        assert await store.hour_sums() == sums

    async def test_a_month_that_one_policy_keeps_is_not_dropped(self, store):
        store.policy(archive_enabled=True, retention_days=30)
        store.policy(metric_group="other")
        store.add(store.layout("a", "b"), ramp(30))
        store.groups(b="other")
        await store.settle()
        outcome = await store.apply(90)
        assert "2024-10" not in outcome["dropped_months"]
        assert set(await store.read_all()) == {"b"}

    async def test_rollups_go_by_their_own_ages(self, store):
        store.add(store.layout("a", "b"), ramp(30))
        store.groups(b="other")
        await store.settle()
        store.policy(hour_rollup_days=10)
        store.policy(metric_group="other", hour_rollup_days=20, day_rollup_days=40, month_rollup_days=60)
        await store.apply(10)
        assert len(await store.hour_sums()) == 2
        outcome = await store.apply(11)
        assert [(line["tier"], line["devices"]) for line in outcome["lines"]] == [("hour", 1)]
        assert set(await store.hour_sums()) == {"b"}
        await store.apply(21)
        assert await store.hour_sums() == {}
        assert len(await told(store, Tier.DAY)) == 2
        await store.apply(41)
        assert {key for key, _ in await told(store, Tier.DAY)} == {"a"}
        assert {key for key, _ in await told(store, Tier.MONTH)} == {"a", "b"}
        await store.apply(120)
        assert {key for key, _ in await told(store, Tier.MONTH)} == {"a"}

    async def test_thinned_out_to_days_the_hours_go_too(self, store):
        store.policy(downsample_enabled=True, downsample_after_days=7, downsample_interval="1 day")
        store.add(store.layout("a"), ramp(30, width=1))
        await store.settle()
        await store.apply(8)
        assert await store.hour_sums() == {}
        assert len(await told(store, Tier.DAY)) == 1

    async def test_process_lists_go_by_the_base_policy(self, store):
        store.policy(archive_enabled=True, retention_days=30)
        store.connection.execute("SELECT create_telemetry_partition('2024-10-04', '2024-10-05')")
        assert (await store.preview(40)).told
        outcome = await store.apply(40)
        assert [(line["tier"], line["action"]) for line in outcome["lines"]] == [("processes", "remove")]
        assert store.connection.execute("SELECT to_regclass('process_snapshots_2024_10_04')").fetchone() == (
            None,
        )

    async def test_states_and_login_sessions_that_are_over_do_so_too(self, store):
        store.policy(archive_enabled=True, retention_days=30)
        device, first = store.device, moment(START // DAY * DAY)
        for channel, hours in ((7, (0, 5, 30)), (8, (1,))):
            for hour in hours:
                store.connection.execute(
                    "INSERT INTO states VALUES (%s, %s, %s::timestamptz + %s * interval '1 hour', 'on', true)",
                    (device, channel, first, hour),
                )
        for key, out in (("over", 20), ("lasts", None), ("later", 30)):
            store.connection.execute(
                "INSERT INTO user_sessions (session_id, device_id, username, login_time, logout_time, is_active) "
                "VALUES (gen_random_uuid(), %s, %s, %s, %s::timestamptz + %s * interval '1 hour', %s)",
                (device, key, first, first, out, out is None),
            )
        wanted = {(1, "remove", "states"): (1, 1, 0), (1, "remove", "login_sessions"): (1, 1, 0)}
        assert {key[1:]: found for key, found in lines(await store.preview(31)).items()} == {
            key[1:]: found for key, found in wanted.items()
        }
        assert store.count("states") == 4
        outcome = done(await store.apply(31))
        assert {key[1:]: found for key, found in outcome.items()} == {
            key[1:]: found for key, found in wanted.items()
        }
        left = store.connection.execute(
            "SELECT channel_id, (extract(epoch FROM ts - %s) / 3600)::int FROM states ORDER BY 1, 2", (first,)
        )
        assert left.fetchall() == [(7, 5), (7, 30), (8, 1)]
        users = store.connection.execute("SELECT username FROM user_sessions ORDER BY 1").fetchall()
        assert users == [("lasts",), ("later",)]

    async def test_the_documents_function_removes_nothing(self, store):
        store.policy(archive_enabled=True, retention_days=1)
        store.add(store.layout("a"), ramp(30, width=1))
        store.connection.execute("SELECT manage_telemetry_partitions()")
        assert store.count("frames") == 30

    async def test_many_days_and_small_files(self, store):
        store.settings.archive.devices_per_file = 2
        store.policy(archive_after_days=1)
        devices = [store.device, *[make_device(store.connection) for _ in range(4)]]
        for device in devices:
            store.device = device
            layout = store.layout("a")
            for day in range(3):
                store.add(layout, ramp(5, START + day * DAY, width=1))
            await store.settle()
        await store.apply(30)
        assert [row[2] for row in store.live()] == [2, 2, 1] * 3
        assert store.count("chunks") == 0
        for device in devices:
            store.device = device
            assert len((await store.read_all())["a"]) == 15


class TestFaults:
    async def test_only_one_at_a_time(self, store):
        store.policy(archive_after_days=1)
        database = Database(store.app_url, pool_size=4)
        async with jobs.archive_lock(store.app_url) as is_ours:
            assert is_ours
            assert await runs.retain(database, store.settings) is None
        both = await asyncio.gather(*[runs.retain(database, store.settings) for _ in range(2)])
        await database.close()
        assert any(both)

    async def test_a_store_that_refuses_stops_nothing_else(self, store, tmp_path):
        store.add(store.layout("a", "b"), ramp(30))
        store.groups(b="other")
        await store.settle()
        blocked = tmp_path / "archive"
        blocked.write_text("a file where the folder should be")
        store.policy(archive_after_days=1)
        remove = store.policy(metric_group="other", archive_enabled=True, retention_days=1)
        outcome = await store.apply(5)
        assert "cannot be written" in outcome["errors"][0]
        assert done(outcome) == {(remove, "remove", "chunks"): (1, 1, 30)}
        assert set(await store.read_all()) == {"a"}
        blocked.unlink()
        assert (await store.apply(5))["errors"] == []
        assert store.count("chunks") == 0
        assert set(await store.read_all()) == {"a"}

    async def test_a_damaged_file_is_left_and_named(self, store):
        store.policy(archive_after_days=1, archive_enabled=True, retention_days=20)
        store.policy(metric_group="other", archive_after_days=1)
        store.add(store.layout("a", "b"), ramp(30))
        store.groups(b="other")
        await store.settle()
        await store.apply(5)
        store.files()[0].write_bytes(b"nothing")
        outcome = await store.apply(30)
        assert "damaged" in outcome["errors"][0]
        assert len(store.live()) == 1


class TestDeletion:
    async def fill(self, store) -> None:
        store.policy(archive_after_days=2)
        layout = store.layout("a", "b")
        for day in range(4):
            store.add(layout, ramp(10, START + day * DAY))
        await store.settle()
        await store.apply(4)
        store.add(layout, ramp(10, START + 5 * DAY))
        store.connection.execute(
            "INSERT INTO latest SELECT device_id, ts, layout_id, values FROM frames ORDER BY ts DESC LIMIT 1"
        )
        store.connection.execute(
            "INSERT INTO user_sessions (session_id, device_id, username, login_time) "
            "VALUES (uuidv7(), %s, 'somebody', '2024-10-04')",
            (store.device,),
        )
        store.connection.execute(
            "INSERT INTO states SELECT device_id, channel_ids[1], '2024-10-04', 'on', false FROM device_layouts "
            "JOIN layouts ON id = layout_id WHERE device_id = %s LIMIT 1",
            (store.device,),
        )
        assert len(store.live()) == 2
        assert store.count("chunks") == 6
        assert len((await store.read_all())["a"]) == 50

    async def ask(self, store, **columns: object) -> str:
        columns = {"device_id": store.device} | columns
        names, values = ", ".join(columns), ", ".join(["%s"] * len(columns))
        store.connection.execute(
            f"INSERT INTO telemetry_deletions (id, {names}) VALUES (uuidv7(), {values})",
            list(columns.values()),
        )
        await store.apply(4)
        return store.connection.execute("SELECT state FROM telemetry_deletions").fetchone()[0]

    async def test_of_everything_nothing_is_left(self, store):
        other = make_device(store.connection)
        mine, store.device = store.device, other
        store.add(store.layout("a"), ramp(10, width=1))
        await store.settle()
        store.device = mine
        await self.fill(store)
        store.connection.execute("DELETE FROM devices WHERE id = %s", (store.device,))
        # Nobody had to ask: what is left of devices that are gone is found.
        await store.apply(4)
        await store.apply(4)
        for table in (
            "frames", "latest", "chunks", "rollups", "rollup_changes", "raw_removed", "device_layouts",
            "archive_parts", "states", "user_sessions", "process_snapshots",
        ):  # fmt: skip
            left = store.connection.execute(
                f"SELECT count(*) FROM {table} WHERE device_id = %s", (mine,)
            ).fetchone()
            assert left == (0,), table
        assert len(store.files()) == 1
        assert str(mine).encode() not in b"".join(path.read_bytes() for path in store.files())
        store.device = other
        assert len((await store.read_all())["a"]) == 10
        assert store.connection.execute("SELECT state FROM telemetry_deletions").fetchall() == [("done",)]

    async def test_of_a_metric(self, store):
        await self.fill(store)
        assert await self.ask(store, metric="b") == "done"
        assert set(await store.read_all()) == {"a"}
        assert len((await store.read_all())["a"]) == 50
        for tier in Tier:
            assert {key for key, _ in await told(store, tier)} == {"a"}
        assert store.connection.execute("SELECT values FROM latest").fetchone() == ([18.0, None],)
        assert store.count("user_sessions") == 1
        assert store.count("states") == 1

    async def test_of_some_days(self, store):
        await self.fill(store)
        state = await self.ask(store, first_day="2024-10-05", last_day="2024-10-06")
        assert state == "done"
        kept = {at // DAY - DAY_NUMBER for at in (await store.read_all())["a"]}
        assert kept == {0, 3, 5}
        days = {at // DAY - DAY_NUMBER for _, at in await told(store, Tier.DAY)}
        assert days == {0, 3, 5}
        [month] = [values for (key, _), values in (await told(store, Tier.MONTH)).items() if key == "a"]
        assert month[0] == 30

    @pytest.mark.parametrize(
        "step", ["delete_frames", "clear_latest", "delete_chunks", "files_with", "rollup_rows"]
    )
    async def test_killed_at_each_step_it_is_gone_on_with(self, store, monkeypatch, step):
        await self.fill(store)
        store.connection.execute("DELETE FROM devices WHERE id = %s", (store.device,))
        inner = getattr(deletion_queries, step)

        async def killed(connection, *arguments, **more):
            await inner(connection, *arguments, **more)
            store.connection.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            await connection.execute("SELECT 1")

        with monkeypatch.context() as patched:
            patched.setattr(deletion_queries, step, killed)
            with pytest.raises(psycopg.OperationalError):
                await store.apply(4)
        await store.apply(4)
        await store.apply(4)
        for table in ("frames", "latest", "chunks", "rollups", "device_layouts", "archive_parts"):
            assert store.count(table) == 0, table
        assert store.files() == []

    async def test_rewritten_files_go_with_the_next_look_for_deletions(self, store):
        """They hold what was deleted; a run of the policies may be a day away."""
        store.add(store.layout("a", "b"), ramp(20))
        await store.settle()
        await store.archive()
        assert await self.ask(store, metric="a") == "done"
        assert len(store.files()) == 2
        database = store.database()
        await runs.delete_requested(database, store.settings)
        await database.close()
        assert len(store.files()) == len(store.live()) == 1

    async def test_what_arrives_after_the_request_stays(self, store):
        layout = store.layout("a")
        store.add(layout, ramp(20, width=1))
        await store.settle()
        await self.ask(store, requested_at="2024-10-04 06:10:00+00")
        assert sorted((await store.read_all())["a"]) == [START + n * MINUTE for n in range(11, 20)]

    async def test_a_file_that_is_missing_fails_the_request_clearly(self, store):
        await self.fill(store)
        for path in store.files():
            path.unlink()
        assert await self.ask(store) == "failed"
        row = store.connection.execute("SELECT problem FROM telemetry_deletions").fetchone()
        assert "archive verify" in row[0]
