"""Series of the whole fleet by their labels: what fulfils which matchers, with whose labels, and for whose eyes."""

import re
from uuid import UUID

import pytest

from fleetkeeper.database.context import product_context
from fleetkeeper.errors import InvalidInputError
from fleetkeeper.identity.actor import EVERYWHERE, Actor, Scope
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry import catalogue
from fleetkeeper.telemetry.catalogue import channels_and_devices
from fleetkeeper.telemetry.host_mark import HOST_MARK
from fleetkeeper.telemetry.selection import Matcher, find_each, find_series, read_series
from fleetkeeper.telemetry.series_labels import label_names, label_values
from tests.factories.telemetry import make_device
from tests.telemetry.test_samples import now_us, series

ALL = Actor("user", "all", {Permission.TELEMETRY_READ: EVERYWHERE})
NONE = Actor("user", "none", {Permission.TELEMETRY_READ: Scope(departments=frozenset({UUID(int=5)}))})


@pytest.fixture
async def fleet(app, connection):
    """Two machines that a scraper measures, and one with an agent."""
    devices = {name: make_device(connection, name) for name in ("web1", "web2", "desk")}
    store = app.state.door.store_samples
    for n, name in enumerate(("web1", "web2")):
        keys = [
            f'up{{instance="{HOST_MARK}:9100",job="node"}}',
            f'cpu_seconds_total{{cpu="0",instance="{HOST_MARK}:9100",job="node",mode="idle"}}',
            f'cpu_seconds_total{{cpu="0",instance="{HOST_MARK}:9100",job="node",mode="user"}}',
        ]
        for k, key in enumerate(keys):
            await store([series(devices[name], key, (now_us(), 10.0 * n + k), (now_us() + 1, 10.0 * n + k))])
    await app.state.door.receive_for(
        devices["desk"].bytes,
        "",
        b'{"frames": [{"ts": %d, "values": {"cpu_usage_percent": 7.5}}]}' % (now_us() // 1_000_000),
    )
    return devices


@pytest.fixture
async def whole(app):
    async with app.state.database.session(product_context("job", "test")) as session:
        yield session


async def select(session, *matchers, actor=ALL, limit=1000):
    found = await find_series(session, actor, [[Matcher(*matcher) for matcher in matchers]], limit=limit)
    return sorted(
        (item.labels["__name__"], item.labels["instance"], item.labels.get("mode", "")) for item in found
    )


class TestMatching:
    async def test_what_a_sender_said_comes_back(self, fleet, whole):
        found = await find_series(whole, ALL, [[Matcher("__name__", "=", "up")]], limit=10)
        assert sorted((dict(item.labels) for item in found), key=lambda labels: labels["instance"]) == [
            {"__name__": "up", "instance": "web1:9100", "job": "node"},
            {"__name__": "up", "instance": "web2:9100", "job": "node"},
        ]

    async def test_an_agents_series_says_which_device_it_is(self, fleet, whole):
        (found,) = await find_series(whole, ALL, [[Matcher("__name__", "=", "cpu_usage_percent")]], limit=10)
        assert dict(found.labels) == {
            "__name__": "cpu_usage_percent",
            "instance": "desk",
            "device_id": str(fleet["desk"]),
            "device_type": "server",
            "job": "fleetkeeper-agent",
        }

    @pytest.mark.parametrize(
        ("matchers", "expected"),
        [
            ([("instance", "=", "web1:9100"), ("mode", "=", "")], [("up", "web1:9100", "")]),
            (
                [("__name__", "=~", "cpu_.*"), ("mode", "!=", "idle"), ("instance", "!=", "web2:9100")],
                [("cpu_seconds_total", "web1:9100", "user"), ("cpu_usage_percent", "desk", "")],
            ),
            ([("instance", "=~", "web.:9100"), ("mode", "!~", "idle|user")],
             [("up", "web1:9100", ""), ("up", "web2:9100", "")]),
            ([("instance", "=~", "web")], []),
            ([("job", "=", "fleetkeeper-agent"), ("__name__", "!=", "")], [("cpu_usage_percent", "desk", "")]),
            ([("job", "=", ""), ("__name__", "!=", "")], []),
            ([("nothing", "=", "x")], []),
        ],
    )  # fmt: skip
    async def test_all_matchers_count(self, fleet, whole, matchers, expected):
        assert await select(whole, *matchers) == expected

    @pytest.mark.parametrize(
        ("pattern", "named"),
        [
            ("up|cpu_usage_percent", ["up", "cpu_usage_percent"]),
            ("cpu_.*", None),
            ("(up)", None),
            ("up|", None),
            ("", None),
        ],
    )
    async def test_a_pattern_that_lists_names_asks_for_them_alone(
        self, fleet, whole, monkeypatch, pattern, named
    ):
        asked = []

        async def noted(session, actor, metrics, devices):
            asked.append(metrics)
            return await channels_and_devices(session, actor, metrics, devices)

        monkeypatch.setattr(catalogue, "channels_and_devices", noted)
        found = {name for name, *_ in await select(whole, ("__name__", "=~", pattern))}
        assert asked == [named]
        known = {"up", "cpu_usage_percent", "cpu_seconds_total"}
        assert found == {name for name in known if re.fullmatch(pattern, name)}

    async def test_any_of_several_selections(self, fleet, whole):
        sets = [[Matcher("mode", "=", "idle")], [Matcher("__name__", "=", "cpu_usage_percent")]]
        found = await find_series(whole, ALL, sets, limit=10)
        assert len(found) == 3

    async def test_each_of_several_selections(self, fleet, whole):
        sets = [
            [Matcher("__name__", "=", "up")],
            [Matcher("instance", "=", "web1:9100"), Matcher("mode", "!=", "idle")],
            [Matcher("instance", "=~", "desk|web2.*"), Matcher("__name__", "!=", "")],
            [Matcher("nothing", "=", "x")],
        ]
        each = await find_each(whole, ALL, sets, limit=4)
        alone = [await find_series(whole, ALL, [matchers], limit=4) for matchers in sets]
        assert each == alone
        assert [len(found) for found in each] == [2, 2, 4, 0]
        with pytest.raises(InvalidInputError, match="too wide"):
            await find_each(whole, ALL, sets, limit=3)

    async def test_too_many_series_are_refused(self, fleet, whole):
        with pytest.raises(InvalidInputError, match="too wide"):
            await select(whole, ("__name__", "!=", ""), limit=3)

    async def test_a_pattern_that_is_none_is_named(self, fleet, whole):
        with pytest.raises(InvalidInputError) as caught:
            await select(whole, ("job", "=~", "no(de"))
        assert "missing )" in caught.value.fields[0].message


class TestSight:
    async def test_nothing_of_other_departments(self, fleet, whole):
        assert await select(whole, ("__name__", "!=", ""), actor=NONE) == []
        assert await label_names(whole, NONE, [[]], limit=100) == []
        assert await label_values(whole, NONE, "__name__", [[]], limit=100) == []
        assert await label_values(whole, NONE, "instance", [[]], limit=100) == []


class TestLabels:
    async def test_names(self, fleet, whole):
        expected = ["__name__", "cpu", "device_id", "device_type", "instance", "job", "mode"]
        assert await label_names(whole, ALL, [[]], limit=100) == expected
        one = await label_names(whole, ALL, [[Matcher("instance", "=", "web1:9100")]], limit=100)
        assert one == ["__name__", "cpu", "instance", "job", "mode"]

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("__name__", ["cpu_seconds_total", "cpu_usage_percent", "up"]),
            ("mode", ["idle", "user"]),
            ("instance", ["desk", "web1:9100", "web2:9100"]),
            ("nothing", []),
        ],
    )
    async def test_values(self, fleet, whole, name, expected):
        assert await label_values(whole, ALL, name, [[]], limit=100) == expected


class TestSamples:
    async def test_each_series_gets_its_own(self, fleet, whole):
        found = await find_series(whole, ALL, [[Matcher("__name__", "!=", "")]], limit=100)
        samples = await read_series(whole, found, now_us(), now_us() + 1, max_samples=1000)
        values = {
            (item.labels["instance"], item.labels.get("mode", ""), item.labels["__name__"][:2]): found[
                1
            ].tolist()
            for item, found in zip(found, samples, strict=True)
        }
        assert values == {
            ("web1:9100", "", "up"): [0.0],
            ("web1:9100", "idle", "cp"): [1.0],
            ("web1:9100", "user", "cp"): [2.0],
            ("web2:9100", "", "up"): [10.0],
            ("web2:9100", "idle", "cp"): [11.0],
            ("web2:9100", "user", "cp"): [12.0],
            ("desk", "", "cp"): [7.5],
        }

    async def test_too_many_samples_are_refused(self, fleet, whole):
        found = await find_series(whole, ALL, [[Matcher("__name__", "!=", "")]], limit=100)
        with pytest.raises(InvalidInputError, match="too many samples"):
            await read_series(whole, found, 0, 2**51, max_samples=5)
