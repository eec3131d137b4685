"""The product measures itself as telemetry, and built-in rules look at that."""

import pytest
from psycopg.errors import AdminShutdown
from sqlalchemy import select
from structlog.testing import capture_logs

from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.rules.builtin import install
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.operations.self_measuring import measure_itself
from fleetkeeper.telemetry.homes import ChannelHomes
from fleetkeeper.telemetry.product_samples import ProductSamples
from tests.alerts.conftest import token_for, watch  # noqa: F401 - fixtures
from tests.factories.telemetry import make_device


@pytest.fixture
async def measured(app, settings):
    """Measures once."""
    samples = ProductSamples(settings, app.state.database)
    await samples.start()

    async def measure() -> None:
        await measure_itself(app.state.database, settings, samples)

    yield measure
    await samples.stop()


async def values(client, expr: str) -> dict[str, float]:
    answer = await client.get("/prometheus/api/v1/query", params={"query": expr})
    assert answer.status_code == 200, answer.text
    found = answer.json()["data"]["result"]
    return {
        one["metric"].get("token") or one["metric"].get("task") or one["metric"]["instance"]: float(
            one["value"][1]
        )
        for one in found
    }


async def test_its_own_state_and_clocks_are_series(admin, connection, measured):
    connection.execute(
        "UPDATE api_tokens SET expires_at = now() + interval '3 days', name = 'Backup script' "
        "WHERE id = (SELECT id FROM api_tokens LIMIT 1)"
    )
    late, right = make_device(connection, "late"), make_device(connection, "right")
    connection.execute("UPDATE devices SET status = 'online' WHERE id = ANY(%s)", ([late, right],))
    connection.execute("UPDATE device_vitals SET clock_skew_seconds = -95 WHERE device_id = %s", (late,))
    connection.execute("UPDATE device_vitals SET clock_skew_seconds = 0.1 WHERE device_id = %s", (right,))
    await measured()
    await measured()
    assert await values(admin, "clock_skew_seconds") == {"late": 95.0}
    (left,) = (await values(admin, "fleetkeeper_token_expires_seconds")).values()
    assert 2.9 * 86_400 < left < 3.1 * 86_400
    assert await values(admin, "fleetkeeper_audit_oldest_unsealed_seconds") is not None
    assert (await values(admin, "fleetkeeper_audit_newest_entry_seconds"))["Fleetkeeper"] < 60
    assert connection.execute("SELECT count(*) FROM devices WHERE name = 'Fleetkeeper'").fetchone() == (1,)
    listed = (await admin.get("/api/v1/devices")).json()["results"]
    assert {one["name"] for one in listed} == {"late", "right"}


async def test_a_token_that_expires_fires_its_rule(app, admin, connection, measured, watch):  # noqa: F811
    connection.execute(
        "UPDATE api_tokens SET expires_at = now() + interval '2 days', name = 'Backup script' "
        "WHERE id = (SELECT id FROM api_tokens LIMIT 1)"
    )
    await measured()
    await install(app.state.database)
    watch.now = utc_now()
    async with app.state.database.session() as session:
        found = await session.scalars(select(AlertRule).where(AlertRule.origin_key == "token-expires"))
        (rule,) = found
    await watch.evaluate(rule)
    (alert,) = await watch.alerts()
    assert alert.annotations["summary"].startswith("The token Backup script of admin expires in 1d 23h")
    assert admin


async def test_one_departments_people_do_not_see_it(admin, token_for, measured):  # noqa: F811
    place = (await admin.post("/api/v1/departments", json={"name": "Paris"})).json()["id"]
    client = await token_for(["telemetry:read", "devices:read"], place)
    await measured()
    assert await values(client, '{__name__=~"fleetkeeper_.+"}') == {}


async def test_a_database_that_stops_meanwhile_is_said_in_a_line(measured, monkeypatch):
    """The next minute measures again."""
    with monkeypatch.context() as away:

        async def shut_down(*_):
            raise AdminShutdown("terminating connection due to administrator command")

        away.setattr(ChannelHomes, "places", shut_down)
        with capture_logs() as logs:
            await measured()
    assert [one["event"] for one in logs] == ["the product did not measure itself"]
    await measured()
