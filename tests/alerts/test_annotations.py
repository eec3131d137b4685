"""`/api/v1/alerts/annotations`: alerts as marks on charts."""

from datetime import timedelta
from functools import cache
from uuid import uuid4

import pytest

from fleetkeeper.kit.clock import utc_now
from tests.factories.telemetry import make_device

URL = "/api/v1/alerts/annotations"


@cache
def day():
    """The Wednesday of next week: there are partitions of the log for it, and for the days around it."""
    today = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=9 - today.weekday())


def at(hours):
    return day() + timedelta(hours=hours)


@pytest.fixture
def span():
    return {"start": at(0).isoformat(), "end": at(24).isoformat()}


def fired(connection, device, name, start, end):
    connection.execute(
        "INSERT INTO alert_logs (system_id, triggered_at, resolved_at, name, severity, fingerprint, status)"
        " VALUES (%s, %s, %s, %s, 'high', %s::bytea, %s)",
        (device, start, end, name, name, "resolved" if end else "firing"),
    )


async def test_lists_what_fired_within_the_span(admin, connection, span):
    desk = make_device(connection, "desk")
    fired(connection, desk, "before", at(-2), at(-1))
    fired(connection, desk, "into", at(-2), at(1))
    fired(connection, desk, "open", at(22), None)
    fired(connection, desk, "after", at(24), None)
    fired(connection, make_device(connection, "lamp"), "other", at(12), None)
    found = (await admin.get(URL, params=span | {"device_id": str(desk)})).json()
    assert [one["name"] for one in found] == ["open", "into"]
    assert [one["end"] is None for one in found] == [True, False]
    assert len((await admin.get(URL, params=span)).json()) == 3
    assert (await admin.get(URL, params=span | {"device_id": str(uuid4())})).json() == []


async def test_span_and_number_are_bounded(admin, connection, span):
    desk = make_device(connection, "desk")
    connection.execute(
        "INSERT INTO alert_logs (system_id, triggered_at, name, severity, fingerprint)"
        " SELECT %s, %s + n * interval '1 second', 'Hot', 'high', n::text::bytea"
        " FROM generate_series(1, 510) AS n",
        (desk, at(1)),
    )
    assert len((await admin.get(URL, params=span)).json()) == 500
    answer = await admin.get(URL, params=span | {"end": at(24 * 400).isoformat()})
    assert answer.status_code == 422
    assert "at most 366 days" in answer.text


async def test_only_those_who_may_read_alerts_see_them(anonymous, span):
    assert (await anonymous.get(URL, params=span)).status_code == 401
