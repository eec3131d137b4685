"""What the database itself shows of this room to transactions that departments limit."""

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from fleetkeeper.database.context import TransactionContext
from fleetkeeper.identity.permissions import Permission
from tests.factories.identity import give, make_role, make_token, make_tree, make_user
from tests.factories.notifications import make_channel, make_rule, worker_of
from tests.fixtures.client import TEST_CONTEXT

CHANNELS = "/api/v1/notification-channels"
TABLES = ("events", "channels", "rules", "deliveries", "inbox", "preferences")


@pytest.fixture
async def north(app):
    """The id of North. In it, in South and in neither there is a channel, a rule, an event with a delivery of each."""
    async with app.state.database.session(TEST_CONTEXT) as session:
        north, _, south = await make_tree(session)
        places = [north.id, south.id, None]
        for place in places:
            channel = await make_channel(
                session, app.state.sealer, department_id=place, url="https://a.example"
            )
            await make_rule(session, channel, department_id=place)
        users = [await make_user(session), await make_user(session)]
        for user in users:
            await session.execute(
                text("INSERT INTO notification_preferences (user_id) VALUES (:id)"), {"id": user.id}
            )
    worker = worker_of(app)
    for place in places:
        await worker.emit(department_id=place, to_users=[user.id for user in users])
    await worker.dispatch()
    app.somebody = users[0].id
    return north.id


async def seen(app, context: TransactionContext) -> dict[str, int]:
    async with app.state.database.session(context) as session:
        return {
            table: await session.scalar(text(f"SELECT count(*) FROM notification_{table}"))
            for table in TABLES
        }


async def test_each_sees_their_own(app, north):
    everything = {"events": 3, "channels": 3, "rules": 3, "deliveries": 5, "inbox": 6, "preferences": 2}
    nothing = dict.fromkeys(TABLES, 0)
    assert await seen(app, TEST_CONTEXT) == everything
    assert await seen(app, TransactionContext()) == nothing
    in_north = TransactionContext(acting_departments=frozenset({north}))
    assert await seen(app, in_north) == nothing | {"events": 1, "channels": 1, "rules": 1, "deliveries": 1}
    oneself = TransactionContext(audit=json.dumps({"kind": "user", "user": str(app.somebody)}))
    assert await seen(app, oneself) == nothing | {"inbox": 3, "preferences": 1}


async def test_a_channel_is_not_moved_out_of_sight(app, north):
    context = TransactionContext(acting_departments=frozenset({north}))
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with app.state.database.session(context) as session:
            await session.execute(text("UPDATE notification_channels SET department_id = NULL"))


async def test_who_sees_no_device_keeps_channels_and_rules(app, admin):
    async with app.state.database.session(TEST_CONTEXT) as session:
        north, _, south = await make_tree(session)
        nora = await make_user(session, "nora")
        role = await make_role(session, Permission.NOTIFICATIONS_READ, Permission.NOTIFICATIONS_WRITE)
        await give(session, nora, role, north)
        token = await make_token(session, nora)
    channel = {"name": "Pager", "kind": "webhook", "url": "https://hooks.example/x"}
    async with app.client(token) as client:
        made = await client.post(CHANNELS, json=channel | {"department_id": str(north.id)})
        assert made.status_code == 201, made.text
        rule = {
            "name": "All",
            "events": ["*"],
            "channel_id": made.json()["id"],
            "department_id": str(north.id),
        }
        assert (await client.post("/api/v1/notification-rules", json=rule)).status_code == 201
        assert (await client.get(CHANNELS)).json()["count"] == 1
        assert (await client.post(CHANNELS, json=channel | {"department_id": str(south.id)})).status_code in {
            403,
            422,
        }
