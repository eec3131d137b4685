"""Every collector on the machine that runs the tests, and by psutil as on other systems."""

import msgspec
from tests.fleetkeeper_agent.fake_clock import FakeClock

from fleetkeeper_agent.collectors.agent_self import DeliveryFigures
from fleetkeeper_agent.collectors.registry import Features, Platform, frame_collectors, this_platform
from fleetkeeper_agent.main import one_collection
from fleetkeeper_agent.platforms.macos.inventory import MacosInventory
from fleetkeeper_agent.platforms.nvidia import NvidiaGpus
from fleetkeeper_agent.platforms.portable import NoPerfCounters, PortableHost
from fleetkeeper_agent.sampler import Sampler
from fleetkeeper_protocol.messages import CollectorStatus, InventoryReport, ProcessReport, ProcessSnapshot
from fleetkeeper_protocol.metrics import parse_channel

NOTHING = DeliveryFigures(0, 0, 0)


def portable() -> Platform:
    host = PortableHost()
    return Platform(
        cpu=host,
        memory=host,
        network=host,
        disk=host,
        perf_events=NoPerfCounters(),
        gpu=NvidiaGpus(),
        system=host,
        processes=host,
        inventory=MacosInventory(lambda _command: b""),
    )


def check(platform: Platform) -> dict[str, str]:
    collectors = frame_collectors(platform, lambda: NOTHING)
    clock = FakeClock()
    sampler = Sampler(collectors, Features(), clock)
    sampler.frame()
    clock.advance(5)
    for collector in collectors:
        declared = {metric.name for metric in collector.fields}
        sent = sampler_values(sampler, collector.name)
        assert {parse_channel(channel)[0] for channel in sent} <= declared, collector.name
    frame = sampler.frame()
    assert frame.values["memory_total_bytes"] > 0
    assert frame.values["system_uptime_seconds"] > 0
    assert all(isinstance(value, (int, float)) for value in frame.values.values())
    statuses = {status.name: status.status for status in sampler.statuses()}
    sampler.close()
    return statuses


def sampler_values(sampler: Sampler, name: str) -> dict[str, float]:
    for supervised in sampler._collectors:
        if supervised.supervision.name == name:
            return supervised.collect(sampler._clock.monotonic(), on=True)
    raise AssertionError(name)


def test_linux_sources():
    statuses = check(this_platform(Features()))
    assert "failed" not in statuses.values()
    assert [statuses[name] for name in ("cpu", "memory", "disk", "system", "agent_self")] == ["ok"] * 5


def test_portable_sources():
    statuses = check(portable())
    assert "failed" not in statuses.values()
    assert statuses["perf_events"] == "unavailable"
    assert statuses["memory_bandwidth"] == "unavailable"


def test_everything_passes_the_protocols_bounds():
    for platform in (this_platform(Features()), portable()):
        found = one_collection(platform, Features(), 0.02)
        report = InventoryReport(found["inventory"], found["collectors"])
        decoded = msgspec.json.decode(msgspec.json.encode(report), type=InventoryReport)
        assert all(isinstance(status, CollectorStatus) for status in decoded.collectors)
        processes = ProcessReport([ProcessSnapshot(found["ts"], found["processes"])])
        assert msgspec.json.decode(msgspec.json.encode(processes), type=ProcessReport).snapshots[0].processes
