"""What the worker's jobs do to each other."""

import asyncio

from procrastinate import App, JobContext
from procrastinate.jobs import Job
from procrastinate.testing import InMemoryConnector

import fleetkeeper.all_jobs  # noqa: F401 - declares the jobs
from fleetkeeper.jobs.registration import register
from fleetkeeper.jobs.run import Tools
from fleetkeeper.telemetry.rollups import jobs as rollups


async def test_a_long_sealing_leaves_room_for_other_work(app, settings, monkeypatch):
    """The next one of its kind ends at once in place of waiting for it."""
    queue = App(connector=InMemoryConnector())
    database = app.state.database
    register(Tools(database, database, settings, queue))
    seal = queue.tasks["telemetry.seal"]
    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="telemetry.seal")
    context = JobContext(app=queue, job=job, start_timestamp=0, abort_reason=lambda: None)
    runs, has_begun, may_end = [], asyncio.Event(), asyncio.Event()

    async def seal_frames(*_: object) -> None:
        runs.append("seal")
        has_begun.set()
        await may_end.wait()

    async def refresh_rollups(*_: object) -> None:
        runs.append("roll up")

    monkeypatch.setattr(rollups.chunks, "seal_frames", seal_frames)
    monkeypatch.setattr(rollups, "refresh_rollups", refresh_rollups)
    async with asyncio.timeout(30):
        first = asyncio.create_task(seal.func(context, timestamp=0))
        await has_begun.wait()
        await seal.func(context, timestamp=300)
        assert runs == ["seal"]
        may_end.set()
        await first
        await seal.func(context, timestamp=600)
    assert runs == ["seal", "roll up", "seal", "roll up"]
