"""Texts and truth values: kept as they change, once, and readable by API, SQL and CLI."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.telemetry.states.recorder import MAX_LENGTH, MAX_STATES_PER_FRAME, problem_of
from tests.fixtures.began import began


def now() -> int:
    """Ten minutes before the test began, so that some time after it is past as well."""
    return began() - 600


async def send(device, *frames):
    body = [{"ts": ts, "values": values, "states": states} for ts, values, states in frames]
    return await device.client.post("/api/v1/telemetry", json={"frames": body})


async def changes(admin, device, **more):
    query = {"device": device.id, "from": now() - 3600, "to": now() + 3600} | more
    answer = await admin.get("/api/v1/telemetry/states", params=query)
    assert answer.status_code == 200, answer.text
    return {
        (one["metric"], *one["labels"].values()): [(ts - now(), value) for ts, value in one["changes"]]
        for one in answer.json()["states"]
    }


SERVICE = 'service_state{name="nginx"}'


class TestChanges:
    async def test_a_row_each_time_that_one_changes(self, device, admin, connection):
        for after, value in ((0, "running"), (5, "running"), (10, "stopped"), (15, "running")):
            answer = await send(device, (now() + after, {"cpu_usage_percent": 1.0}, {SERVICE: value}))
            assert answer.json() == {"accepted": 1, "duplicates": 0}
        told = [(0, "running"), (10, "stopped"), (15, "running")]
        assert await changes(admin, device) == {("service_state", "nginx"): told}
        assert connection.execute("SELECT count(*) FROM states").fetchone() == (3,)

    async def test_many_at_once_and_the_same_again(self, device, admin):
        frames = [(now() + n, {}, {SERVICE: "ab"[n // 3 % 2]}) for n in range(9)]
        for _ in range(2):
            assert (await send(device, *frames)).json()["accepted"] == 9
            assert await changes(admin, device) == {
                ("service_state", "nginx"): [(0, "a"), (3, "b"), (6, "a")]
            }

    async def test_a_late_one_finds_its_place(self, device, admin):
        await send(device, (now(), {}, {SERVICE: "a"}), (now() + 20, {}, {SERVICE: "c"}))
        await send(device, (now() + 10, {}, {SERVICE: "b"}))
        assert await changes(admin, device) == {("service_state", "nginx"): [(0, "a"), (10, "b"), (20, "c")]}

    async def test_what_began_before_the_range_is_told(self, device, admin):
        await send(device, (now(), {}, {SERVICE: "a"}), (now() + 20, {}, {SERVICE: "b"}))
        found = await changes(admin, device, **{"from": now() + 5})
        assert found == {("service_state", "nginx"): [(0, "a"), (20, "b")]}
        assert await changes(admin, device, to=now()) == {}

    async def test_truth_values_and_one_metric_of_several(self, device, admin):
        await send(device, (now(), {}, {"system_reboot_required": False, SERVICE: "false"}))
        assert await changes(admin, device, metric="system_reboot_required") == {
            ("system_reboot_required",): [(0, False)]
        }
        assert (await changes(admin, device))["service_state", "nginx"] == [(0, "false")]


class TestRefused:
    @pytest.mark.parametrize(
        ("states", "field", "words"),
        [
            ({"": "x"}, "frames[0].states", "name"),
            ({"a b": "x"}, "frames[0].states.a b", "name"),
            ({"a": "x" * (MAX_LENGTH + 1)}, "frames[0].states.a", "200 printable"),
            ({"a": "x\u0000y"}, "frames[0].states.a", "printable"),
            ({"a": 5}, "frames[0].states.a", "str"),
            ({f"a{n}": "x" for n in range(MAX_STATES_PER_FRAME + 1)}, "frames[0].states", "at most 100"),
        ],
    )
    async def test_wrong_states_are_named_and_nothing_is_stored(
        self, device, connection, states, field, words
    ):
        answer = await send(device, (now(), {"cpu_usage_percent": 1.0}, states))
        assert answer.status_code == 422
        problem = answer.json()["errors"][0]
        assert problem["field"].startswith(field)
        assert words in problem["message"]
        for table in ("states", "frames"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)

    async def test_those_of_a_frame_that_is_refused_are_not_stored(self, device, connection):
        refused = (now(), {"no name": 1.0}, {"lit": True})
        assert (await send(device, refused)).status_code == 422
        answer = await send(device, refused, (now() + 1, {"cpu_usage_percent": 1.0}, {"door": "open"}))
        assert [item["index"] for item in answer.json()["rejected"]] == [0]
        assert connection.execute("SELECT value FROM states").fetchall() == [("open",)]

    async def test_too_many_names_of_one_device(self, device, connection):
        for low in range(0, 500, 100):
            states = {f"state_{n}": "x" for n in range(low, low + 100)}
            assert (await send(device, (now(), {}, states))).status_code == 200
        answer = await send(device, (now(), {"cpu_usage_percent": 1.0}, {"one_more": "x"}))
        assert answer.status_code == 422
        assert "500 names" in answer.text
        assert connection.execute("SELECT count(*) FROM frames").fetchone() == (0,)
        assert (await send(device, (now(), {}, {"state_7": "y"}))).status_code == 200

    async def test_range_that_ends_before_it_begins(self, device, admin):
        query = {"device": device.id, "from": now(), "to": now() - 1}
        answer = await admin.get("/api/v1/telemetry/states", params=query)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "to"

    async def test_a_name_that_no_state_has(self, device, admin):
        query = {"device": device.id, "from": 0, "to": now(), "metric": ["door", "a\0"]}
        answer = await admin.get("/api/v1/telemetry/states", params=query)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "metric")

    async def test_of_a_device_that_is_not_visible(self, admin):
        query = {"device": "0198f6a0-0000-7000-8000-000000000001", "from": 0, "to": now()}
        assert (await admin.get("/api/v1/telemetry/states", params=query)).status_code == 404

    @given(
        st.dictionaries(st.text(max_size=30), st.text(max_size=MAX_LENGTH + 5) | st.booleans(), max_size=5)
    )
    def test_what_is_no_problem_can_be_stored(self, states):
        if problem_of(states) is None:
            for value in states.values():
                assert isinstance(value, bool) or (len(value) <= MAX_LENGTH and "\x00" not in value)


async def test_document_000_sees_them(device, connection):
    await send(device, (now(), {"cpu_usage_percent": 1.0}, {"system_reboot_required": True, SERVICE: "up"}))
    rows = connection.execute(
        "SELECT metric_name, value_numeric, value_text, value_boolean FROM telemetry WHERE device_id = %s "
        "ORDER BY metric_name",
        (device.id,),
    ).fetchall()
    assert rows == [
        ("cpu_usage_percent", 1, None, None),
        ("service_state", None, "up", None),
        ("system_reboot_required", None, None, True),
    ]
