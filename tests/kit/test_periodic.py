"""Work in the background that goes on whatever its action does."""

import asyncio

from structlog.testing import capture_logs

from fleetkeeper.kit.periodic import Periodic


async def test_an_error_ends_neither_the_work_nor_its_stop():
    calls, third = [], asyncio.Event()

    async def action() -> None:
        calls.append(len(calls))
        if len(calls) == 3:
            third.set()
        raise RuntimeError("the database went away")

    work = Periodic("looking", 0.001, action)
    with capture_logs() as logs:
        work.start()
        await asyncio.wait_for(third.wait(), 10)
        await work.stop()
    assert {(one["event"], one["work"]) for one in logs} == {("periodic work failed; it goes on", "looking")}
