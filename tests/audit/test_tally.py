"""Events that somebody can cause at will."""

import pytest

from fleetkeeper.audit import tally
from fleetkeeper.audit.tally import Event, EventTally
from tests.fixtures.client import TEST_CONTEXT

ENTRIES = "SELECT record_name, details FROM audit_log WHERE action = 'test.refused' ORDER BY id"


@pytest.fixture
def moment():
    """What the clock shows; a list, so that a test can set it."""
    return [0.0]


@pytest.fixture
def events(app, moment):
    return EventTally(app.state.database, clock=lambda: moment[0])


@pytest.fixture
def entries(connection):
    return lambda: connection.execute(ENTRIES).fetchall()


def event(cause="one", name="x"):
    return Event("test.refused", "test", cause, record_name=name, details={"path": "/x"})


async def note(events, times, cause="one"):
    for number in range(times):
        await events.note(TEST_CONTEXT, event(cause, f"{cause}-{number}"))


class TestFlood:
    async def test_is_the_first_ones_and_a_number(self, events, entries, moment):
        await note(events, 600)
        assert len(entries()) == tally.IN_FULL
        moment[0] = tally.WINDOW_SECONDS - 1
        await events.flush()
        assert len(entries()) == tally.IN_FULL
        moment[0] = tally.WINDOW_SECONDS
        await events.flush()
        assert entries()[-1] == ("one-599", {"path": "/x", "more": 590, "within_seconds": 60})
        await events.flush()
        assert len(entries()) == tally.IN_FULL + 1

    async def test_another_cause_is_kept_in_full(self, events, entries):
        await note(events, 50)
        await note(events, 2, "another")
        assert [name for name, _ in entries()][-2:] == ["another-0", "another-1"]

    async def test_the_next_minute_begins_anew(self, events, entries, moment):
        await note(events, 12)
        moment[0] = 61.0
        await note(events, 1)
        assert [details.get("more") for _, details in entries()][-2:] == [2, None]

    async def test_the_end_of_the_process_loses_no_number(self, events, entries):
        await note(events, 11)
        await events.flush(everything=True)
        assert entries()[-1][1]["more"] == 1

    async def test_causes_without_end_are_bounded(self, events, entries, monkeypatch):
        monkeypatch.setattr(tally, "MAX_CAUSES", 3)
        await note(events, 12, "first")
        for number in range(5):
            await note(events, 1, f"other-{number}")
        assert len(events._runs) == 3
        assert 2 in [details.get("more") for _, details in entries()]


async def test_few_leave_no_sum(events, entries, moment):
    await note(events, 3)
    moment[0] = 100.0
    await events.flush()
    assert len(entries()) == 3
