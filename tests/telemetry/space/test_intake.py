"""What processes count of their intake comes together in one table."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from fleetkeeper.database.engine import Database
from fleetkeeper.telemetry.space.intake import MAX_KEYS, IntakeRecorder, counts_of_door, counts_of_senders

AT = datetime(2026, 11, 21, 10, 0, 31, tzinfo=UTC)


@dataclass
class Counters:
    """As senders' counters are."""

    accepted: Counter = field(default_factory=Counter)
    duplicates: Counter = field(default_factory=Counter)
    rejected: Counter = field(default_factory=Counter)
    refused_requests: Counter = field(default_factory=Counter)


@pytest.fixture
async def database(app_url):
    database = Database(app_url, pool_size=2)
    yield database
    await database.close()


def told(connection) -> dict:
    rows = connection.execute(
        "SELECT protocol, outcome, reason, sum(number)::int FROM intake_minutes GROUP BY 1, 2, 3"
    )
    return {tuple(row[:3]): row[3] for row in rows.fetchall()}


class TestRecorder:
    async def test_two_processes_add(self, database, connection):
        first, second = Counter({("native", "accepted", ""): 5}), Counter({("native", "accepted", ""): 7})
        recorders = [IntakeRecorder(database, [lambda: first]), IntakeRecorder(database, [lambda: second])]
        for recorder in recorders:
            await recorder.write(AT)
        first["native", "accepted", ""] += 10
        for recorder in recorders:
            await recorder.write(AT)
            await recorder.write(AT)
        assert told(connection) == {("native", "accepted", ""): 22}
        assert connection.execute("SELECT DISTINCT minute FROM intake_minutes").fetchall() == [
            (AT.replace(second=0),)
        ]

    async def test_what_could_not_be_written_is_written_later(self, database, connection, monkeypatch):
        counts = Counter({("native", "accepted", ""): 5})
        recorder = IntakeRecorder(database, [lambda: counts])

        def away(*_):
            raise OperationalError("", {}, Exception("away"))

        with monkeypatch.context() as patch:
            patch.setattr(database, "session", away)
            await recorder.flush()
        counts["native", "accepted", ""] += 1
        await recorder.flush()
        assert told(connection) == {("native", "accepted", ""): 6}

    async def test_reasons_are_bounded(self, database, connection):
        counts = Counter({("native", "rejected", f"reason {n}"): 1 for n in range(MAX_KEYS + 50)})
        await IntakeRecorder(database, [lambda: counts]).write(AT)
        found = told(connection)
        assert len(found) == MAX_KEYS + 1
        assert found["native", "rejected", "other"] == 50

    async def test_counters_of_senders(self):
        counters = Counters()
        counters.accepted["otlp"] = 3
        counters.duplicates["otlp"] = 1
        counters.rejected["influx", "time"] = 2
        counters.refused_requests["influx", "overload"] = 4
        assert counts_of_senders(counters) == {
            ("otlp", "accepted", ""): 3,
            ("otlp", "duplicate", ""): 1,
            ("influx", "rejected", "time"): 2,
            ("influx", "refused", "overload"): 4,
        }


class TestDoor:
    async def test_each_outcome_is_counted_with_its_reason(self, app, device, connection):
        now = time.time()
        assert (await device.send((now, {"a": 1, "b": 2}), (now - 1, {"a": 1}))).status_code == 200
        assert (await device.send((now, {"a": 1, "b": 2}), (now - 2, {"a": 1}))).json()["duplicates"] == 1
        assert (await device.send((1_000_000_000.0, {"a": 1, "b": 2}))).status_code == 422
        await device.send((now, {"no name": 1}))
        await device.send((now, {}))
        await device.send(("x", {"a": 1}))
        await device.client.post("/api/v1/telemetry", content=b"{")
        stranger = {"Authorization": "Bearer fkd_wrong"}
        await device.client.post("/api/v1/telemetry", content=b"{}", headers=stranger)
        expected = {
            ("native", "accepted", ""): 4,
            ("native", "duplicate", ""): 2,
            ("native", "rejected", "time"): 2,
            ("native", "rejected", "channel"): 1,
            ("native", "rejected", "unreadable"): 1,
            ("native", "refused", "unreadable"): 1,
            ("native", "refused", "unauthorized"): 1,
        }
        counted = counts_of_door(app.state.door)
        assert {key: number for key, number in counted.items() if number} == expected
        await app.state.intake.flush()
        assert told(connection) == expected
