"""Rows that one statement inserts are the same as those that are inserted one by one."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select

from fleetkeeper.alerts.models import AlertInstance
from fleetkeeper.database.many_rows import insert_many

NOW = datetime(2026, 11, 28, 12, 30, 15, 123456, tzinfo=UTC)


def row(fingerprint: bytes, **more):
    return {
        "rule_id": uuid4(),
        "fingerprint": fingerprint,
        "state": "firing",
        "labels": {"a": "'; DROP TABLE devices; --", "b": '\u202e\\x00"', "c": "%(x)s :name"},
        "device_id": None,
        "value": 0.1,
        "active_at": NOW,
        "fires": [NOW, NOW],
    } | more


async def test_every_kind_of_value_comes_back(session):
    rows = [row(bytes(range(256))), row(b"", value=None, fires=[])]
    await insert_many(session, AlertInstance, rows)
    for told in rows:
        found = await session.scalar(select(AlertInstance).where(AlertInstance.rule_id == told["rule_id"]))
        assert {name: getattr(found, name) for name in told} == told
        assert found.is_flapping is False


async def test_conflicts_are_as_said(session):
    first = row(b"x")
    await insert_many(session, AlertInstance, [first])
    changed = first | {"value": 7.0}
    await insert_many(
        session,
        AlertInstance,
        [changed],
        on_conflict="(rule_id, fingerprint) DO UPDATE SET value = excluded.value",
    )
    await insert_many(session, AlertInstance, [first | {"value": 9.0}], on_conflict="DO NOTHING")
    found = await session.scalar(select(AlertInstance).where(AlertInstance.rule_id == first["rule_id"]))
    assert found.value == pytest.approx(7)


async def test_nothing_is_inserted_of_nothing(session):
    await insert_many(session, AlertInstance, [])
