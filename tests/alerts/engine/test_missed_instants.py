"""After a pause of the workers the log is as if there had been none, as far as telemetry came in meanwhile."""

from datetime import timedelta
from uuid import uuid4

import pytest

from fleetkeeper.alerts.engine.evaluating import CONTEXT
from fleetkeeper.alerts.engine.instants import instant
from fleetkeeper.alerts.recording.models import RecordingRule
from tests.factories.telemetry import make_device

HOT = {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90}
HOT_PROMQL = {"kind": "promql", "expr": "cpu_usage_percent > 90"}
AWAY = {"kind": "no_report", "silence_seconds": 60}
INTERVAL = timedelta(seconds=15)
PAUSE = 600


@pytest.fixture
def desk(connection):
    return make_device(connection, "desk")


@pytest.fixture
def heat(watch, measure, desk):
    """Store values at these many seconds before now, and each 15 seconds from one to the next."""

    async def store(**spans: tuple[int, int]) -> None:
        values = {"hot": 95, "cool": 10}
        for name, (start, end) in spans.items():
            for seconds in range(start, end, -15):
                at = watch.now - timedelta(seconds=seconds)
                await measure(desk, at, cpu_usage_percent=values[name.partition("_")[0]])

    return store


@pytest.fixture
def paused(watch, connection):
    """A unit was evaluated last so many seconds ago, and telemetry comes in since some more."""

    def pause(unit, seconds: int = PAUSE, open_for: int = 3600):
        at = instant(unit, INTERVAL, watch.now - timedelta(seconds=seconds))
        connection.execute(
            "INSERT INTO alert_evaluations (unit, next_at, evaluated_at, running_since) VALUES (%s, %s, %s, %s)",
            (unit, at + INTERVAL, at, at - timedelta(hours=1)),
        )
        connection.execute(
            "INSERT INTO telemetry_doors (open_since, open_until) VALUES (now() - %s, now() + interval '1 hour') "
            "ON CONFLICT (id) DO UPDATE SET open_since = excluded.open_since, open_until = excluded.open_until",
            (timedelta(seconds=open_for),),
        )
        return at

    return pause


async def evaluate_all(watch) -> int:
    count = 0
    while await watch.engine.evaluate_next():
        count += 1
    return count


@pytest.mark.parametrize("condition", [HOT, HOT_PROMQL], ids=["threshold", "promql"])
class TestPause:
    async def test_an_alert_that_began_in_the_pause_has_its_own_times(self, watch, heat, paused, condition):
        rule = await watch.rule(condition=condition, for_seconds=60, interval_seconds=15)
        await heat(cool=(700, 480), hot=(480, 0))
        paused(rule.unit)
        assert await evaluate_all(watch) in {PAUSE // 15, PAUSE // 15 + 1}  # an instant may come meanwhile
        (alert,) = await watch.alerts()
        began = watch.now - timedelta(seconds=480)
        assert began <= alert.pending_since < began + INTERVAL
        assert alert.triggered_at - alert.pending_since == timedelta(seconds=60)
        assert alert.resolved_at is None
        assert await watch.tell(1) == 1

    async def test_one_that_began_and_ended_in_it_is_logged_and_not_told(
        self, watch, heat, paused, condition
    ):
        rule = await watch.rule(condition=condition, interval_seconds=15)
        await heat(cool_1=(700, 480), hot=(480, 300), cool_2=(300, 0))
        paused(rule.unit)
        await evaluate_all(watch)
        (alert,) = await watch.alerts()
        assert alert.resolution == "cleared"
        assert timedelta(seconds=165) <= alert.resolved_at - alert.triggered_at <= timedelta(seconds=195)
        for seconds in (1, 20, 400):
            assert await watch.tell(seconds) == 0
        assert await watch.told() == []

    async def test_what_was_pending_goes_on(self, watch, heat, paused, condition):
        rule = await watch.rule(condition=condition, for_seconds=480, interval_seconds=15)
        await heat(hot=(700, 0))
        at = paused(rule.unit)
        async with watch.engine.database.session(CONTEXT) as session:
            await watch.engine.evaluate_rule(session, rule, at, at)
        await evaluate_all(watch)
        (alert,) = await watch.alerts()
        assert (alert.pending_since, alert.triggered_at) == (at, at + timedelta(seconds=480))

    @pytest.mark.parametrize(("seconds", "open_for"), [(600, 300), (1200, 3600)], ids=["closed", "long"])
    async def test_otherwise_it_waits_anew(self, watch, heat, paused, condition, seconds, open_for):
        """Where nothing could come in, or after a long pause, nobody knows what was."""
        rule = await watch.rule(condition=condition, for_seconds=60, interval_seconds=15)
        await heat(hot=(700, 0))
        at = paused(rule.unit, seconds, open_for)
        async with watch.engine.database.session(CONTEXT) as session:
            await watch.engine.evaluate_rule(session, rule, at, at)
        assert await evaluate_all(watch) == 1
        assert await watch.alerts() == []


class TestSilence:
    async def test_silence_counts_from_the_end_of_the_pause(self, watch, heat, paused, desk, connection):
        rule = await watch.rule(condition=AWAY, interval_seconds=15)
        await heat(cool=(700, 600))
        connection.execute("UPDATE devices SET last_seen = %s", (watch.now - timedelta(seconds=590),))
        paused(rule.unit)
        await evaluate_all(watch)
        assert await watch.alerts() == []

    async def test_what_was_silent_before_stays_so(self, watch, heat, paused, desk, connection):
        rule = await watch.rule(condition=AWAY, interval_seconds=15)
        await heat(cool=(900, 890))
        connection.execute("UPDATE devices SET last_seen = %s", (watch.now - timedelta(seconds=900),))
        at = paused(rule.unit)
        await watch.evaluate(rule, (at - watch.now).total_seconds(), running_since=at - timedelta(hours=1))
        await evaluate_all(watch)
        (alert,) = await watch.alerts()
        assert alert.resolved_at is None


async def test_recording_rules_record_what_they_missed(watch, heat, paused, connection):
    await heat(hot=(700, 0))
    rule = RecordingRule(
        name="cpu:sum", expr="sum(cpu_usage_percent)", unit=uuid4(), interval_seconds=15, origin_key="a/g/0"
    )
    async with watch.engine.database.session(CONTEXT) as session:
        session.add(rule)
    paused(rule.unit)
    await evaluate_all(watch)
    place = connection.execute("SELECT device_id FROM device_sources").fetchone()
    frames = connection.execute("SELECT count(*) FROM frames WHERE device_id = %s", place).fetchone()
    assert frames == (PAUSE // 15,)


async def test_a_worker_that_is_slow_leaves_instants_out(watch, heat, paused):
    rule = await watch.rule(condition=HOT, interval_seconds=15)
    await heat(hot=(700, 0))
    paused(rule.unit)
    watch.engine.started -= timedelta(minutes=3)
    assert await evaluate_all(watch) == 1
