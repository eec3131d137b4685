"""Playing a fleet against a server in memory: enrollment, backfill, live, refusals and retries."""

import contextlib
import itertools
import stat

import msgspec
import pytest
from tests.simulation.fake_server import FakeClock, FakeServer, Reply

from fleetkeeper.simulation.delivery import Clock
from fleetkeeper.simulation.encoding import Compression
from fleetkeeper.simulation.enrolment import SimulationError
from fleetkeeper.simulation.fleet import Fleet
from fleetkeeper.simulation.player import Tempo
from fleetkeeper.simulation.run import Options, simulate_fleet
from fleetkeeper.simulation.state import StateError
from fleetkeeper_protocol.messages import (
    InventoryReport,
    ProcessReport,
    SessionReport,
    TelemetryBatch,
)

WEDNESDAY_NOON = 1_795_003_200.0


class SilentDisplay:
    def __init__(self):
        self.statuses = []

    @contextlib.contextmanager
    def progress(self, title, total):
        yield lambda steps: None

    def status(self, text):
        self.statuses.append(text)


async def no_token(devices):
    return None


async def no_api_token():
    return None


async def play(
    server,
    folder,
    clock: Clock,
    *,
    local_token=no_token,
    local_api_token=no_api_token,
    display=None,
    **changes,
):
    values = {
        "server": server.url,
        "state_folder": folder,
        "devices": 40,
        "seed": 7,
        "api_token": "api-token",
        "duration_seconds": 0,
        "tempo": Tempo(connections=4),
    } | changes
    display = display or SilentDisplay()
    return await simulate_fleet(Options(**values), clock, display, local_token, local_api_token)


@pytest.fixture
async def clock():
    return FakeClock(WEDNESDAY_NOON)


@pytest.fixture
async def server(clock):
    async with FakeServer(clock).listening() as listening:
        yield listening


async def test_enrols_with_a_token_for_as_many_devices_as_are_missing(server, clock, tmp_path):
    summary = await play(server, tmp_path, clock)
    assert server.tokens == [{"name": "simulation", "max_uses": 40}]
    assert len(server.enrolled) == 40
    assert summary["enrolment"]["accepted"] == 40
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_second_run_continues_the_same_fleet(server, clock, tmp_path):
    await play(server, tmp_path, clock)
    summary = await play(server, tmp_path, clock, devices=45)
    assert server.tokens[-1]["max_uses"] == 5
    assert len(server.enrolled) == 45
    assert summary["enrolment"]["accepted"] == 5
    assert "enrolment" not in await play(server, tmp_path, clock)


async def test_state_of_another_server_is_refused(server, clock, tmp_path):
    await play(server, tmp_path, clock)
    with pytest.raises(StateError, match="another --state folder"):
        await play(FakeServer(clock, port=1), tmp_path, clock)


async def test_without_any_token_the_message_says_what_to_give(server, clock, tmp_path):
    with pytest.raises(SimulationError, match="--token"):
        await play(server, tmp_path, clock, api_token=None)


async def test_local_installation_may_give_the_token(server, clock, tmp_path):
    async def token(devices):
        assert devices == 40
        return "enrol-me"

    await play(server, tmp_path, clock, api_token=None, local_token=token)
    assert len(server.enrolled) == 40
    assert not server.tokens


async def test_a_refused_token_ends_the_run(server, clock, tmp_path):
    with pytest.raises(SimulationError, match="HTTP 401 Unknown token"):
        await play(server, tmp_path, clock, api_token=None, enrolment_token="wrong")


async def test_relationships_are_made_once_and_for_new_devices(server, clock, tmp_path):
    summary = await play(server, tmp_path, clock, devices=120)
    first = list(server.relationships)
    assert {kind for _, _, kind in first} == {"hosts", "backs_up", "connects_to", "powers"}
    assert len(set(first)) == len(first)
    assert summary["relationships"]["failures"] == {}
    assert "relationships" not in await play(server, tmp_path, clock, devices=120)
    entered = dict(server.entered)
    await play(server, tmp_path, clock, devices=130)
    assert server.relationships[: len(first)] == first
    assert len(set(server.relationships)) == len(server.relationships) > len(first)
    assert entered.items() <= server.entered.items()


async def test_relationships_that_an_interrupted_run_made_are_no_failure(server, clock, tmp_path):
    def interfere(path, number):
        return Reply(409) if path == "/api/v1/device-relationships" and number % 2 else None

    server.interfere = interfere
    summary = await play(server, tmp_path, clock)
    assert summary["relationships"]["failures"] == {}
    assert summary["relationships"]["duplicates"] > 0
    assert "relationships" not in await play(server, tmp_path, clock)


async def test_a_token_that_may_not_enter_devices_does_not_stop_the_fleet(server, clock, tmp_path):
    server.interfere = lambda path, number: Reply(403) if path == "/api/v1/devices" else None
    summary = await play(server, tmp_path, clock)
    assert sum(summary["relationships"]["failures"].values()) > 0
    assert summary["inventory"]["requests"] == 40
    server.interfere = lambda path, number: None
    assert (await play(server, tmp_path, clock))["relationships"]["failures"] == {}


async def test_without_an_api_token_nothing_is_related(server, clock, tmp_path):
    summary = await play(server, tmp_path, clock, api_token=None, enrolment_token="enrol-me")
    assert "relationships" not in summary
    assert server.relationships == []


async def test_local_installation_may_lend_an_api_token(server, clock, tmp_path):
    async def lend():
        return "api-token"

    await play(server, tmp_path, clock, api_token=None, enrolment_token="enrol-me", local_api_token=lend)
    assert server.relationships


async def test_every_body_is_of_the_protocol(server, clock, tmp_path):
    await play(server, tmp_path, clock, duration_seconds=60.0, backfill_seconds=600.0)
    types = {
        "/api/v1/telemetry": TelemetryBatch,
        "/api/v1/agent/inventory": InventoryReport,
        "/api/v1/telemetry/processes": ProcessReport,
        "/api/v1/telemetry/sessions": SessionReport,
    }
    assert set(server.bodies) == set(types)
    for path, bodies in server.bodies.items():
        msgspec.convert(bodies, list[types[path]])


async def test_backfill_sends_each_frame_once_and_again_only_duplicates(server, clock, tmp_path):
    summary = await play(server, tmp_path, clock, backfill_seconds=3600.0)
    counts = summary["backfill"]
    assert counts["accepted"] == len(server.frames)
    assert counts["duplicates"] == 0
    # Some are off, have a broken clock or were restarting; the rest sent all of it.
    assert 0.8 * 40 * 360 < counts["accepted"] <= 40 * 360
    assert max(len(body["frames"]) for body in server.bodies["/api/v1/telemetry"]) == 60
    assert all(WEDNESDAY_NOON - 3600.0 <= ts < WEDNESDAY_NOON + 300.0 for _, ts in server.frames)
    again = await play(server, tmp_path, clock, backfill_seconds=3600.0)
    assert again["backfill"]["duplicates"] == counts["accepted"]
    assert again["backfill"]["accepted"] == 0


@pytest.mark.parametrize("compression", list(Compression))
async def test_compression_does_not_change_what_arrives(clock, tmp_path, compression):
    async with FakeServer(clock).listening() as server:
        await play(server, tmp_path, clock, devices=3, backfill_seconds=60.0, compression=compression)
        assert len(server.frames) in {12, 18}


async def test_live_spreads_the_devices_over_the_interval_and_goes_on_where_the_backfill_ended(
    server, clock, tmp_path
):
    summary = await play(server, tmp_path, clock, backfill_seconds=100.0, duration_seconds=100.0)
    assert summary["live"]["accepted"] > 0
    assert summary["live"]["duplicates"] == 0
    by_device = {}
    for hostname, ts in server.frames:
        by_device.setdefault(hostname, []).append(ts)
    for moments in by_device.values():
        steps = {round(b - a, 3) for a, b in itertools.pairwise(sorted(moments))}
        assert steps == {10.0}
    offsets = sorted(moments[0] % 10.0 for moments in by_device.values())
    assert all(b - a < 1.0 for a, b in itertools.pairwise(offsets))


async def test_slow_reports_come_once_a_minute_from_each_device(server, clock, tmp_path):
    await play(server, tmp_path, clock, duration_seconds=60.0)
    reporting = {hostname for hostname, _ in server.frames}
    for path in ("/api/v1/telemetry/processes", "/api/v1/telemetry/sessions"):
        assert len(server.bodies[path]) == pytest.approx(len(reporting), abs=3)


async def test_broken_clocks_are_refused_by_the_server_and_counted(server, clock, tmp_path):
    devices = 600
    broken = int((Fleet(7, devices).skew_seconds > 0).sum())
    assert broken > 0
    display = SilentDisplay()
    summary = await play(server, tmp_path, clock, devices=devices, duration_seconds=10.0, display=display)
    assert summary["broken_clocks"] == broken
    assert summary["live"]["rejected"] == {"ts: N seconds ahead": broken}
    assert "ts: N seconds ahead" in display.statuses[-1]


async def test_waits_as_long_as_the_server_asks(clock, tmp_path):
    def busy(path, number):
        if path == "/api/v1/telemetry" and number % 3 == 0:
            return Reply(429, b"{}", {"Retry-After": "7"})
        return None

    async with FakeServer(clock, busy).listening() as server:
        summary = await play(server, tmp_path, clock, devices=5, backfill_seconds=1200.0)
    counts = summary["backfill"]
    assert counts["retries"]["HTTP 429"] > 0
    assert clock.slept == pytest.approx(7.0 * counts["retries"]["HTTP 429"])
    assert counts["accepted"] == len(server.frames)


async def test_a_server_that_closes_its_connections_gets_everything_once(clock, tmp_path):
    def rude(path, number):
        return Reply(503, b"{}", {"Connection": "close"}) if number % 5 == 0 else None

    async with FakeServer(clock, rude).listening() as server:
        summary = await play(server, tmp_path, clock, devices=5, backfill_seconds=1200.0)
    assert summary["backfill"]["retries"]["HTTP 503"] > 0
    assert summary["backfill"]["accepted"] == len(server.frames)


async def test_live_frames_that_the_server_never_takes_are_dropped_and_counted(clock, tmp_path):
    def away(path, number):
        return Reply(503, b"{}", {"Retry-After": "60"}) if path.startswith("/api/v1/telemetry") else None

    async with FakeServer(clock, away).listening() as server:
        summary = await play(server, tmp_path, clock, devices=3, duration_seconds=10.0)
    assert summary["live"]["accepted"] == 0
    assert summary["live"]["dropped_late"] > 0


async def test_a_refused_request_is_counted_with_its_reason(clock, tmp_path):
    def too_large(path, number):
        return Reply(413, b'{"title":"Too large"}') if path == "/api/v1/telemetry" else None

    async with FakeServer(clock, too_large).listening() as server:
        summary = await play(server, tmp_path, clock, devices=3, backfill_seconds=600.0)
    (reason,) = summary["backfill"]["rejected"]
    assert reason == "HTTP 413; Too large"


async def test_an_answer_that_is_not_the_protocols_is_counted(clock, tmp_path):
    def nonsense(path, number):
        return Reply(200, b'{"accepted":"many"}') if path == "/api/v1/telemetry" else None

    async with FakeServer(clock, nonsense).listening() as server:
        summary = await play(server, tmp_path, clock, devices=3, backfill_seconds=3600.0)
    assert any("unreadable answer" in failure for failure in summary["backfill"]["failures"])


async def test_a_bug_in_a_sender_is_raised(server, clock, tmp_path, monkeypatch):
    def broken(answer, message, tally):
        raise ZeroDivisionError

    monkeypatch.setattr("fleetkeeper.simulation.delivery.count_answer", broken)
    with pytest.raises(ExceptionGroup) as caught:
        await play(server, tmp_path, clock, devices=30)
    assert caught.group_contains(ZeroDivisionError)
