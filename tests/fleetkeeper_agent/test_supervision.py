"""One collector's failure does not touch the others."""

import math

from msgspec import UNSET

from fleetkeeper_agent.collectors.collector import Collector, UnavailableError
from fleetkeeper_agent.collectors.registry import Features
from fleetkeeper_agent.collectors.supervision import SupervisedCollector
from fleetkeeper_agent.sampler import TELL_AGAIN_SECONDS, Sampler


class Scripted(Collector):
    name = "scripted"
    fields = ()

    def __init__(self, *results, name="scripted"):
        super().__init__()
        self.name = name
        self.results = list(results)
        self.closed = 0

    def collect(self, now):
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        return result

    def close(self):
        self.closed += 1


def test_a_collector_that_raises_is_retried_with_backoff():
    supervised = SupervisedCollector(Scripted(ValueError("bad\x00sensor"), ValueError("again"), {"a": 1.0}))
    assert supervised.collect(0.0, on=True) == {}
    status = supervised.statuses()[0]
    assert (status.status, status.reason) == ("failed", "ValueError: bad\ufffdsensor")
    assert supervised.collect(4.9, on=True) == {}
    assert len(supervised.collector.results) == 2, "not tried before its time"
    assert supervised.collect(5.0, on=True) == {}
    assert supervised.collect(14.9, on=True) == {}
    assert supervised.collect(15.0, on=True) == {"a": 1.0}
    assert supervised.statuses()[0].status == "ok"


def test_unavailable_is_said_once_and_asked_rarely(caplog):
    caplog.set_level("INFO")
    supervised = SupervisedCollector(Scripted(UnavailableError("no such hardware")))
    for second in range(0, 1300, 5):
        assert supervised.collect(float(second), on=True) == {}
    assert caplog.text.count("no such hardware") == 1
    assert supervised.statuses()[0].status == "unavailable"


def test_a_flag_switches_off_and_on_again():
    collector = Scripted({"a": 1.0})
    collector.note_gap("part", "is missing")
    supervised = SupervisedCollector(collector)
    assert [status.name for status in supervised.statuses()] == ["scripted", "scripted.part"]
    assert supervised.collect(0.0, on=False) == {}
    assert [(status.name, status.status) for status in supervised.statuses()] == [("scripted", "off")]
    assert collector.closed == 1
    supervised.collect(1.0, on=False)
    assert collector.closed == 1
    assert supervised.collect(2.0, on=True) == {"a": 1.0}


def test_no_number_is_missing():
    supervised = SupervisedCollector(Scripted({"a": math.nan, "b": math.inf, "c": 1.0}))
    assert supervised.collect(0.0, on=True) == {"c": 1.0}


def test_a_frame_holds_what_the_others_could_tell(clock):
    collectors = [Scripted(RuntimeError("x"), name="one"), Scripted({"b": 2.0}, name="two")]
    sampler = Sampler(
        [*collectors, Scripted({"c": 3.0}, name="three")], Features({"three_enabled": False}), clock
    )
    clock.wall_now = 1234.56789
    frame = sampler.frame()
    assert frame.values == {"b": 2.0}
    assert frame.ts == 1234.568
    assert [status.status for status in sampler.statuses()] == ["failed", "ok", "off"]


def test_states_are_told_when_they_change_and_again_after_a_while(clock):
    collector = Scripted(*[{"a": 1.0}] * 6)
    sampler = Sampler([collector], Features(), clock)
    assert sampler.frame().states is UNSET
    collector.states = {"up": True}
    assert sampler.frame().states == {"up": True}
    assert sampler.frame().states is UNSET
    collector.states = {"up": False}
    assert sampler.frame().states == {"up": False}
    clock.now += TELL_AGAIN_SECONDS
    assert sampler.frame().states == {"up": False}


def test_flags_that_reveal_more_are_off_unless_switched_on():
    features = Features()
    assert features.is_on("perf_events")
    assert not features.is_on("process_arguments")
    assert not features.is_on("network_file_systems")
    features.replace({"perf_events_enabled": False, "process_arguments_enabled": True})
    assert not features.is_on("perf_events")
    assert features.is_on("process_arguments")
