"""The writer of frames: days that go away, and requests that share a commit with one that cannot be stored."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

import numpy as np
import psycopg
import pytest

from fleetkeeper.errors import UnavailableError
from fleetkeeper.telemetry.frames import PendingFrame, Plan
from fleetkeeper.telemetry.writer import FrameWriter

DAY_SECONDS = 86_400
LINES = "/influx/write?precision=ms"


@pytest.fixture
async def writer(app_url: str) -> AsyncIterator[FrameWriter]:
    writer = FrameWriter(app_url, writers=1, max_pending_frames=100)
    await writer.start()
    yield writer
    await writer.stop()


def frame(*, device: int = 1, age_seconds: float = 0, part: int = 0) -> PendingFrame:
    ts_us = round((time.time() - age_seconds) * 1_000_000)
    return PendingFrame(UUID(int=device).bytes, ts_us, Plan(7, 1, None), np.array([1.5]), part)


def line(host: str, seconds: float) -> str:
    return f"cpu,host={host} v=1 {round(seconds * 1000)}"


def drop_day(connection: psycopg.Connection, age_days: int) -> None:
    """As the sealer does once all frames of the day are sealed."""
    name = time.strftime("frames_%Y_%m_%d", time.gmtime(time.time() - age_days * DAY_SECONDS))
    connection.execute(f"DROP TABLE {name}")


class TestDaysThatGo:
    @pytest.mark.parametrize("part", [0, 7])
    async def test_a_day_that_was_dropped_is_made_again(self, writer, connection, part):
        late = 3 * DAY_SECONDS
        for number in range(3):
            some = [frame(device=number, age_seconds=late, part=part)]
            await writer.submit(some, None if part else [item.row() for item in some])
            drop_day(connection, 3)
        some = [frame(age_seconds=late, part=part), frame(part=part)]
        await writer.submit(some, None if part else [item.row() for item in some])
        assert connection.execute("SELECT count(*) FROM frames").fetchone() == (2,)

    async def test_by_a_sender_beside_the_samples_of_others(self, admin, connection):
        late = time.time() - 3 * DAY_SECONDS
        assert (await admin.post(LINES, content=line("late-1", late))).status_code == 204
        connection.execute("DELETE FROM frames")
        drop_day(connection, 3)
        now = time.time()
        bodies = [line("late-1", late + 1), *(line(f"host-{number}", now) for number in range(20))]
        answers = await asyncio.gather(*(admin.post(LINES, content=body) for body in bodies))
        assert [answer.status_code for answer in answers] == [204] * 21
        assert connection.execute("SELECT count(*) FROM frames").fetchone() == (21,)


class TestOneFailsAlone:
    async def test_what_shares_a_commit_with_a_bad_request_is_stored(self, writer, connection):
        good = [frame(device=number) for number in range(20)]
        bad = frame(device=99)
        waiting = [writer.submit([item], [item.row()]) for item in good[:10]]
        refused = writer.submit([bad], [b"no row of binary COPY"])
        waiting += [writer.submit([item], [item.row()]) for item in good[10:]]
        # None of them was written yet: they are one batch.
        assert writer.pending_frames == 21
        with pytest.raises(UnavailableError):
            await refused
        assert await asyncio.gather(*waiting) == [None] * 20
        assert connection.execute("SELECT count(*) FROM frames").fetchone() == (20,)
