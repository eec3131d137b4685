"""What one caller has under way at once, and the line of what waits."""

import asyncio

import pytest

from fleetkeeper.errors import OverloadedError
from fleetkeeper.kit.shares import Shares


async def turns() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


class Work:
    """Requests of a caller that end when they are told to."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self.begun: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}

    def begin(self, caller: str, name: str) -> "asyncio.Task[None]":
        self.ends[name] = asyncio.Event()
        return asyncio.create_task(self._run(caller, name))

    async def _run(self, caller: str, name: str) -> None:
        with await self._shares.take(caller):
            self.begun.append(name)
            await self.ends[name].wait()


@pytest.fixture
def work():
    return Work(Shares(2, waiting=2, patience_seconds=30))


async def test_the_third_waits_for_the_first_and_others_do_not(work):
    tasks = [work.begin("a", name) for name in ("1", "2", "3", "4")]
    tasks.append(work.begin("b", "other"))
    await turns()
    assert work.begun == ["1", "2", "other"]
    work.ends["2"].set()
    await turns()
    assert work.begun == ["1", "2", "other", "3"]
    for end in work.ends.values():
        end.set()
    await asyncio.gather(*tasks)
    assert not work._shares._callers


async def test_a_line_that_is_full_is_refused(work):
    tasks = [work.begin("a", name) for name in "1234"]
    await turns()
    with pytest.raises(OverloadedError, match="one caller"):
        await work._shares.take("a")
    for end in work.ends.values():
        end.set()
    await asyncio.gather(*tasks)


async def test_who_leaves_the_line_takes_no_turn(work):
    tasks = [work.begin("a", name) for name in "1234"]
    await turns()
    tasks[2].cancel()
    await turns()
    work.ends["1"].set()
    await turns()
    assert work.begun == ["1", "2", "4"]
    for end in work.ends.values():
        end.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not work._shares._callers


async def test_who_leaves_as_its_turn_comes_hands_it_on(work):
    tasks = [work.begin("a", name) for name in "1234"]
    await turns()
    work.ends["1"].set()
    await asyncio.sleep(0)
    tasks[2].cancel()
    work.ends["2"].set()
    await turns()
    assert "4" in work.begun
    for end in work.ends.values():
        end.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not work._shares._callers


async def test_nobody_waits_for_ever():
    shares = Shares(1, waiting=2, patience_seconds=0.01)
    with await shares.take("a"), pytest.raises(OverloadedError, match="other requests"):
        await shares.take("a")
    assert not shares._callers
