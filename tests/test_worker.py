"""What the worker's tasks do to each other."""

import asyncio

from procrastinate import App
from procrastinate.testing import InMemoryConnector

from fleetkeeper import worker


async def test_a_long_sealing_leaves_room_for_other_work(settings, monkeypatch):
    """The next one of its kind ends at once in place of waiting for it."""
    queue = App(connector=InMemoryConnector())
    database = type("Anywhere", (), {"url": "postgresql://nowhere"})()
    worker.register_tasks(queue, database, database, settings)
    seal = queue.tasks["telemetry.seal"]
    runs, has_begun, may_end = [], asyncio.Event(), asyncio.Event()

    async def seal_frames(*_: object) -> None:
        runs.append("seal")
        has_begun.set()
        await may_end.wait()

    async def refresh_rollups(*_: object) -> None:
        runs.append("roll up")

    monkeypatch.setattr(worker.chunks, "seal_frames", seal_frames)
    monkeypatch.setattr(worker.rollups, "refresh_rollups", refresh_rollups)
    async with asyncio.timeout(10):
        first = asyncio.create_task(seal.func(timestamp=0))
        await has_begun.wait()
        await seal.func(timestamp=300)
        assert runs == ["seal"]
        may_end.set()
        await first
        await seal.func(timestamp=600)
    assert runs == ["seal", "roll up", "seal", "roll up"]
