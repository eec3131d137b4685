"""The same of the agents' own door: every value that a frame has is accepted, a duplicate or rejected with a reason."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetkeeper.telemetry.reasons import Reason
from tests.fixtures.began import began

HOST = "web-01"
DAY = 86_400

channels = st.sampled_from(
    ["up", 'd{a="1",b="2"}', 'd{b="2",a="1"}', "e", "e{}", '{"温度"}', "1bad", "n" * 201, "", *"fghijkl"]
)
told = st.sampled_from([1.0, 0.0, -2.5, 1e308, 1.0, 1.0, 1.0, "text", None, True])
moments = st.sampled_from([0, 0, 1, 2, 3, -400 * DAY, 40 * DAY, "now", None])
states = st.sampled_from(
    [None, None, {"s1": "x"}, {"s2": True, "s3": "y"}, {"s4": "z"}, {"s1": 5}, {"1bad": "x"}]
)
agent_frames = st.lists(st.tuples(moments, st.dictionaries(channels, told, max_size=6), states), max_size=8)


def now() -> int:
    """Ten minutes before the test began."""
    return began() - 600


def frame_of(moment, values, told):
    """A frame as an agent sends it, and how many samples it has; of one that cannot be read, at least one."""
    ts = moment if moment is None or isinstance(moment, str) else now() + moment
    frame = {"ts": ts, "values": values} | ({} if told is None else {"states": told})
    is_read = isinstance(ts, int) and all(isinstance(value, float) for value in values.values())
    is_read = is_read and (told is None or 5 not in told.values())
    return frame, len(values) if is_read else max(1, len(values))


class TestAccounting:
    @pytest.mark.parametrize("door", ["", "/devices/{device}"])
    @given(found=agent_frames)
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    async def test_all_that_is_sent_is_counted(self, app, admin, device, monkeypatch, door, found):
        app.state.door.layouts.max_channels_per_device = 8
        monkeypatch.setattr("fleetkeeper.telemetry.states.recorder.MAX_CHANNELS", 3)
        frames = [frame_of(*row) for row in found]
        client = admin if door else device.client
        before = app.state.door.outcomes.copy()
        body = {"frames": [frame for frame, _ in frames]}
        answer = await client.post(f"/api/v1/telemetry{door.format(device=device.id)}", json=body)
        assert answer.status_code in {200, 422}, answer.text
        counted = app.state.door.outcomes - before
        assert counted.total() == sum(samples for _, samples in frames), counted
        assert {outcome for outcome, _ in counted} <= {"accepted", "duplicate", "rejected"}

    async def test_the_first_of_one_moment_is_stored_and_the_others_are_duplicates(
        self, app, device, read_back
    ):
        values = ({"a": 1.0, "b": 2.0}, {"a": 3.0}, {"a": 4.0, "c": 5.0})
        await device.send(*((float(now()), frame) for frame in values))
        assert app.state.door.outcomes == {("accepted", ""): 2, ("duplicate", ""): 3}
        assert read_back(HOST) == {"a": [(now() * 1000, 1.0)], "b": [(now() * 1000, 2.0)]}

    async def test_frames_that_are_refused_for_their_states_are_counted(self, app, device, monkeypatch):
        monkeypatch.setattr("fleetkeeper.telemetry.states.recorder.MAX_CHANNELS", 1)
        frames = [{"ts": now(), "values": {"a": 1.0, "b": 2.0}, "states": {"s1": "x", "s2": "y"}}]
        frames += [{"ts": now() + 1, "values": {"a": 1.0}}, {"ts": 0, "values": {"a": 1.0}}]
        answer = await device.client.post("/api/v1/telemetry", json={"frames": frames})
        assert answer.status_code == 422
        assert app.state.door.outcomes == {("rejected", Reason.STATES): 3, ("rejected", Reason.TIME): 1}

    async def test_what_is_to_be_sent_again_is_not_counted_yet(self, app, device):
        app.state.door.writer._max_pending = 0
        frames = [{"ts": now(), "values": {"a": 1.0}}, {"ts": 0, "values": {"a": 1.0}}]
        answer = await device.client.post("/api/v1/telemetry", json={"frames": frames})
        assert answer.status_code == 429
        assert app.state.door.outcomes == {("refused", "overload"): 1}
