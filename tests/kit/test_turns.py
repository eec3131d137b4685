"""Giving way: others get on while somebody is at long work, and not at every step of it."""

import asyncio
import threading

import pytest

from fleetkeeper.kit import turns


@pytest.mark.parametrize(("seconds_a_step", "pauses"), [(0.004, 3), (0.0, 0), (0.02, 10)])
async def test_others_get_on_every_ten_milliseconds(monkeypatch, seconds_a_step, pauses):
    now, seen = 0.0, []
    monkeypatch.setattr(turns, "perf_counter", lambda: now)

    async def other():
        while True:
            seen.append(now)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await asyncio.sleep(0)
    seen.clear()
    own = turns.Turns()
    for _ in range(10):
        now += seconds_a_step
        await own.give_way()
    assert len(seen) == pauses
    task.cancel()


@pytest.mark.parametrize(("things", "is_aside"), [(turns.FEW - 1, False), (turns.FEW, True)])
async def test_much_work_leaves_the_loop(things, is_aside):
    worked_in = await turns.aside(things, threading.get_ident)
    assert (worked_in != threading.get_ident()) is is_aside
