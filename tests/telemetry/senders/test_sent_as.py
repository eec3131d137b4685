"""Names that become one here stay apart: across requests, restarts and processes, beside agents, and on each device."""

import asyncio

import pytest

from fleetkeeper.identity.permissions import Role
from tests.factories.senders import WRITE, headers_of, series, snappy
from tests.fixtures.began import began
from tests.fixtures.client import enroll, make_user, running_app

HOST = "web-01"


def now() -> int:
    """Ten minutes before the test began."""
    return began() - 600


def metrics(*names: str, later: int = 0, host: str = HOST, unit: str = "") -> dict:
    """An OTLP request of gauges, whose values are their places."""
    gauges = [
        {
            "name": name,
            "unit": unit,
            "gauge": {"dataPoints": [{"timeUnixNano": str((now() + later) * 10**9), "asInt": str(place)}]},
        }
        for place, name in enumerate(names)
    ]
    resource = {"attributes": [{"key": "host.name", "value": {"stringValue": host}}]}
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": gauges}]}]}


async def write(client, body: dict) -> None:
    answer = await client.post("/otlp/v1/metrics", json=body)
    assert (answer.status_code, answer.json()) == (200, {})


def of(moment: int, value: float) -> tuple[int, float]:
    return moment * 1000, value


class TestRestarts:
    async def test_what_was_first_stays_so(self, settings, app_url, read_back):
        async with running_app(settings, app_url) as app:
            token = await make_user(app.state.database, "admin", Role.ADMIN)
            await write(app.client(token), metrics("a.b"))
        async with running_app(settings, app_url) as app:
            await write(app.client(token), metrics("a_b", "a.b", later=60))
        async with running_app(settings, app_url) as app:
            await write(app.client(token), metrics("a.b", "a_b", later=120))
        assert read_back(HOST) == {
            "a_b": [of(now(), 0.0), of(now() + 60, 1.0), of(now() + 120, 0.0)],
            'a_b{sent_as="a_b"}': [of(now() + 60, 0.0), of(now() + 120, 1.0)],
        }

    async def test_what_was_stored_before_names_were_kept_goes_on(
        self, settings, app_url, connection, read_back
    ):
        async with running_app(settings, app_url) as app:
            token = await make_user(app.state.database, "admin", Role.ADMIN)
            await write(app.client(token), metrics("a.b"))
        connection.execute("UPDATE channels SET sent_as = NULL")
        async with running_app(settings, app_url) as app:
            await write(app.client(token), metrics("a.b", later=60))
            await write(app.client(token), metrics("a_b", later=60))
        assert set(read_back(HOST)) == {"a_b", 'a_b{sent_as="a_b"}'}
        assert len(read_back(HOST)["a_b"]) == 2


class TestAtOnce:
    async def test_two_processes_agree(self, settings, app_url, read_back):
        async with running_app(settings, app_url) as one, running_app(settings, app_url) as other:
            token = await make_user(one.state.database, "admin", Role.ADMIN)
            await write(one.client(token), metrics("known"))
            for place in range(5):
                names = f"n{place}.x", f"n{place}_x"
                await asyncio.gather(
                    *(write(app.client(token), metrics(name)) for app in (one, other) for name in names)
                )
                await write(one.client(token), metrics(*names, later=60))
        stored = read_back(HOST)
        for place in range(5):
            mine = {key: samples for key, samples in stored.items() if key.startswith(f"n{place}_x")}
            assert sorted(map(len, mine.values())) == [2, 2]
            later = {samples[1][1] for samples in mine.values()}
            assert later == {0.0, 1.0}


class TestDevices:
    async def test_what_one_device_sends_changes_no_names_of_another(self, app, admin, read_back):
        squatter = await enroll(app, admin, "squatter")
        await write(squatter.client, metrics("system_cpu_time", host="squatter"))
        await write(admin, metrics("system.cpu.time"))
        assert set(read_back(HOST)) == set(read_back("squatter")) == {"system_cpu_time"}
        await write(admin, metrics("system_cpu_time", later=60))
        assert set(read_back(HOST)) == {"system_cpu_time", 'system_cpu_time{sent_as="system_cpu_time"}'}

    async def test_names_of_agents_are_theirs(self, app, admin, device, read_back):
        await write(device.client, metrics("cpu.usage", unit="%"))
        await device.send((now() + 60.0, {"cpu_usage_percent": 50.0}))
        assert read_back(HOST) == {
            'cpu_usage_percent{sent_as="cpu.usage"}': [of(now(), 0.0)],
            "cpu_usage_percent": [of(now() + 60, 50.0)],
        }
        await app.state.door.freshness._try_flush()
        listed = (await admin.get(f"/api/v1/devices/{device.id}")).json()
        assert listed["cpu_percent"] == 50.0

    @pytest.mark.parametrize("is_known", [False, True])
    async def test_other_channels_of_frames_are_told_apart_too(self, app, admin, device, read_back, is_known):
        frame = {"own_value": 5.0, "other": 6.0}
        if is_known:
            await (await enroll(app, admin, "another")).send((now() + 60.0, frame))
        await write(device.client, metrics("own.value"))
        for moment in (60.0, 120.0):
            assert (await device.send((now() + moment, frame))).json() == {"accepted": 1, "duplicates": 0}
        assert read_back(HOST) == {
            "own_value": [of(now(), 0.0)],
            'own_value{sent_as="own_value"}': [of(now() + 60, 5.0), of(now() + 120, 5.0)],
            "other": [of(now() + 60, 6.0), of(now() + 120, 6.0)],
        }

    async def test_a_sender_behind_an_agent(self, admin, device, read_back):
        await device.send((now() + 60.0, {"own_value": 5.0}))
        await write(device.client, metrics("own.value", "own_value"))
        assert read_back(HOST) == {
            "own_value": [of(now(), 1.0), of(now() + 60, 5.0)],
            'own_value{sent_as="own.value"}': [of(now(), 0.0)],
        }


class TestNames:
    async def test_the_same_name_by_two_protocols_is_one_series(self, device, read_back):
        await write(device.client, metrics("up"))
        body = series({"__name__": "up"}, [((now() + 60) * 1000, 1.0)])
        answer = await device.client.post(WRITE, content=snappy(body), headers=headers_of())
        assert answer.status_code == 204
        assert read_back(HOST) == {"up": [of(now(), 0.0), of(now() + 60, 1.0)]}

    async def test_one_that_cannot_be_told_apart_is_refused(self, app, device, read_back):
        await write(device.client, metrics("a.b"))
        labels = {"__name__": "a_b", "sent_as": "mine"}
        for number in (1, 2):
            body = series(labels, [((now() + number) * 1000, 1.0)])
            answer = await device.client.post(WRITE, content=snappy(body), headers=headers_of())
            assert answer.status_code == 204
        attributes = [{"key": "sent_as", "value": {"stringValue": "mine"}}]
        wrong = metrics("a.b")
        wrong["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["gauge"]["dataPoints"][0][
            "attributes"
        ] = attributes
        answer = await device.client.post("/otlp/v1/metrics", json=wrong)
        assert "give them labels that differ" in answer.json()["partialSuccess"]["errorMessage"]
        assert set(read_back(HOST)) == {"a_b", 'a_b{sent_as="mine"}'}

    async def test_long_names_are_told_apart(self, device, read_back):
        long = [".".join("x" * 9 for _ in range(15)) + end for end in (".a_b", "_a.b", ".a.b")]
        await write(device.client, metrics(*long))
        assert len(read_back(HOST)) == 3
