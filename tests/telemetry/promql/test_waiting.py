"""Who gets a place next. Counted, not timed."""

import asyncio

import pytest

from fleetkeeper.telemetry.promql.errors import QueryTimeoutError, TooManyQueriesError
from fleetkeeper.telemetry.promql.waiting import Places

LONG = 60.0


class Line:
    """Queries that hold their place until they are told to end; remembers in which order they began."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.begun: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def ask(self, *names: str) -> None:
        """Queries by name; the user is the first letter."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks.append(asyncio.ensure_future(self._run(name)))
            await asyncio.sleep(0)
        await self._settled()

    async def _run(self, name: str) -> None:
        async with self.places.place(name[0], LONG):
            self.begun.append(name)
            await self._ends[name].wait()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self._settled()

    async def _settled(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def end_all(self) -> None:
        for event in self._ends.values():
            event.set()
        await asyncio.gather(*self._tasks)


async def test_a_third_user_starts_next_however_many_the_others_have_waiting():
    line = Line(Places(2))
    await line.ask("a1", "b1", "a2", "b2", "a3", "b3", "c1")
    assert line.begun == ["a1", "b1"]
    await line.end("a1")
    assert line.begun[2:] == ["c1"]
    await line.end("b1")
    assert line.begun[3:] == ["a2"]
    await line.end_all()


async def test_the_user_with_the_fewest_places_comes_first():
    line = Line(Places(3))
    await line.ask("a1", "a2", "b1", "a3", "b2", "c1")
    await line.end("a1")
    assert line.begun[3:] == ["c1"]
    await line.end("b1")
    assert line.begun[4:] == ["b2"]
    await line.end_all()


async def test_nobody_holds_all_places_while_others_wait():
    line = Line(Places(2))
    await line.ask("a1", "a2", "a3", "a4", "b1", "b2")
    await line.end("a1")
    assert line.begun[2:] == ["b1"]
    await line.end("a2")
    assert len(line.begun) == 4
    assert line.begun[3] == "a3"
    await line.end_all()


async def test_whoever_has_none_at_work_starts_at_once_in_an_extra_place():
    line = Line(Places(2, 2))
    await line.ask("a1", "a2", "a3", "b1", "b2", "c1", "d1")
    assert line.begun == ["a1", "a2", "b1", "c1"]
    await line.end("b1")
    assert line.begun[4:] == ["d1"]
    await line.end_all()


async def test_lines_are_bounded_for_each_user_and_together():
    places = Places(1, waiting=3, waiting_of_one=2)
    line = Line(places)
    await line.ask("a1", "a2", "a3")
    with pytest.raises(TooManyQueriesError):
        await places.take("a", LONG)
    await line.ask("b1")
    with pytest.raises(TooManyQueriesError):
        await places.take("c", LONG)
    assert places.waiting == 3
    await line.end_all()
    assert (places.held, places.waiting) == (0, 0)


async def test_whoever_gives_up_leaves_no_trace():
    places = Places(1)
    line = Line(places)
    await line.ask("a1")
    with pytest.raises(QueryTimeoutError, match="query timed out in query queue"):
        await places.take("b", 0.001)
    waiting = asyncio.ensure_future(places.take("c", LONG))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await line.end_all()
    assert (places.held, places.waiting) == (0, 0)
