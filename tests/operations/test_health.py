"""Health, own metrics, and what the worker does by the clock."""

from datetime import timedelta

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import select, update

from fleetkeeper.database.engine import Database
from fleetkeeper.devices.models import Device
from fleetkeeper.jobs.declaring import JOBS
from fleetkeeper.jobs.queue import build_queue
from fleetkeeper.jobs.registration import register
from fleetkeeper.jobs.run import Tools
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry.jobs import mark_silent_devices
from tests.fixtures.client import TEST_CONTEXT


class TestHealth:
    async def test_live_and_ready(self, shared):
        assert (await shared.anonymous.get("/health/live")).json() == {"status": "live"}
        assert (await shared.anonymous.get("/health/ready")).json() == {"status": "ready"}

    async def test_not_ready_while_the_database_is_away(self, app, anonymous, server, database_url):
        name = conninfo_to_dict(database_url)["dbname"]
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            answer = await anonymous.get("/health/ready")
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            assert (await anonymous.get("/health/live")).status_code == 200
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert (await anonymous.get("/health/ready")).status_code == 200


class TestMetrics:
    async def test_counts_what_came_in(self, app, admin, device):
        now = utc_now().timestamp()
        frame = (now, {"a": 1.0, "b": 2.0})
        await device.send(frame)
        await device.send(frame, (now - 1, {"a": 1.0}))
        await device.client.post("/api/v1/telemetry", json={"frames": [{"ts": 1, "values": {"a": 1}}]})
        answer = await admin.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
        values = {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}
        assert values["fleetkeeper_frames_accepted_total"] == 2
        assert values["fleetkeeper_frames_duplicate_total"] == 1
        assert values["fleetkeeper_frames_rejected_total"] == 1
        assert values["fleetkeeper_frames_pending"] == 0
        assert values["process_resident_memory_bytes"] > 10_000_000
        assert values['fleetkeeper_job_runs{state="failed"}'] == 0
        assert values["fleetkeeper_audit_sealing_stopped"] == 0
        families = list(text_string_to_metric_families(answer.text))
        assert all(one.documentation and one.type in {"counter", "gauge"} for one in families)


def own_tasks(queue) -> set[str]:
    """The product's tasks that come by the clock; procrastinate brings some of its own, and some are only asked for."""
    return {name for name in queue.tasks if "procrastinate" not in name and JOBS[name].cron}


class TestWorker:
    async def test_tasks_have_a_schedule_a_lock_and_retries(self, database_url, settings):
        database = Database(database_url)
        queue = build_queue(database_url)
        register(Tools(database, database, settings, queue))
        names = own_tasks(queue)
        assert names >= {
            "telemetry.manage_partitions",
            "identity.remove_ended_sessions",
            "jobs.remove_finished",
        }
        periodic = {task.task.name for task in queue.periodic_registry.periodic_tasks.values()}
        assert periodic == names
        for name in names:
            assert queue.tasks[name].queueing_lock == name
            assert queue.tasks[name].retry_strategy is not None
        await database.close()

    async def test_each_task_runs(self, database_url, settings):
        database = Database(database_url)
        queue = build_queue(database_url)
        register(Tools(database, database, settings, queue))
        names = own_tasks(queue)
        async with queue.open_async():
            for name in names:
                await queue.tasks[name].defer_async(timestamp=0)
            await queue.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
        await database.close()
        with psycopg.connect(database_url) as connection:
            jobs = dict(connection.execute("SELECT task_name, status FROM procrastinate_jobs").fetchall())
        assert jobs == dict.fromkeys(names, "succeeded")

    @pytest.mark.parametrize(
        ("silent_seconds", "status"), [(0, "online"), (35, "online"), (45, "offline"), (86_400, "offline")]
    )
    async def test_silent_device_goes_offline(self, app, device, settings, silent_seconds, status):
        seen = utc_now() - timedelta(seconds=silent_seconds)
        async with app.state.database.session(TEST_CONTEXT) as session:
            await session.execute(update(Device).values(status="online", last_seen=seen))
        changed = await mark_silent_devices(app.state.database, settings)
        assert changed == (status == "offline")
        async with app.state.database.session(TEST_CONTEXT) as session:
            assert await session.scalar(select(Device.status)) == status
