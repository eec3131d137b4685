"""Performance counters: scaling, counters that never ran, and why there are none."""

import errno
import os
import struct

import pytest

from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.collectors.perf_events import GroupReading, PerfEventsCollector, scaled_increase
from fleetkeeper_agent.host_files import HostRoots
from fleetkeeper_agent.platforms.linux.perf_events import (
    KernelPerfApi,
    LinuxPerf,
    parse_cpu_list,
    parse_group,
)

SECOND = 1_000_000_000


class FakeKernel:
    """Counters that run for a share of the time; `refuse` maps (kind, config) to an errno."""

    def __init__(self, refuse=None, refuse_all=0, refuse_cpu=None):
        self.refuse = refuse or {}
        self.refuse_all = refuse_all
        self.refuse_cpu = refuse_cpu
        self.groups = {}
        self.counts = {}
        self.enabled = self.running = 0
        self.opened = self.closed = 0

    def open(self, kind, config, cpu, group):
        code = self.refuse_all or self.refuse.get((kind, config), 0)
        if self.refuse_cpu == (kind, config, cpu):
            code = errno.ENOENT
        if code:
            raise OSError(code, os.strerror(code))
        self.opened += 1
        descriptor = self.opened + 100
        self.groups.setdefault(descriptor if group < 0 else group, []).append((kind, config))
        return descriptor

    def read(self, descriptor, size):
        members = self.groups[descriptor]
        counts = [self.counts.get(member, 0) for member in members]
        data = struct.pack(f"=QQQ{len(members)}Q", len(members), self.enabled, self.running, *counts)
        assert len(data) <= size
        return data

    def close(self, descriptor):
        self.closed += 1


@pytest.fixture
def roots(tmp_path):
    (tmp_path / "sys/devices/system/cpu").mkdir(parents=True)
    (tmp_path / "sys/devices/system/cpu/online").write_text("0-1\n")
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/perf_event_paranoid").write_text("3\n")
    (tmp_path / "proc/cpuinfo").write_text("flags : fpu\n")
    return HostRoots(proc=tmp_path / "proc", sys=tmp_path / "sys")


def run(kernel, *, cycles, instructions, enabled, running):
    kernel.counts = {(0, 0): cycles, (0, 1): instructions}
    kernel.enabled, kernel.running = enabled, running


def test_counters_are_summed_over_cores_and_scaled(roots):
    kernel = FakeKernel()
    collector = PerfEventsCollector(LinuxPerf(roots, lambda: kernel))
    assert collector.collect(0.0) == {}
    run(kernel, cycles=1000, instructions=1500, enabled=2 * SECOND, running=SECOND)
    values = collector.collect(5.0)
    assert values["perf_cycles_total"] == 4000, "two cores, half of the time"
    assert values["perf_instructions_per_cycle"] == 1.5
    assert "perf_cache_miss_percent" not in values, "there is no share of no references"
    assert values["perf_cache_misses_total"] == 0


def test_totals_never_fall_even_when_the_scale_does(roots):
    kernel = FakeKernel()
    collector = PerfEventsCollector(LinuxPerf(roots, lambda: kernel))
    collector.collect(0.0)
    run(kernel, cycles=1000, instructions=0, enabled=10 * SECOND, running=SECOND)
    first = collector.collect(5.0)["perf_cycles_total"]
    run(kernel, cycles=1001, instructions=0, enabled=15 * SECOND, running=6 * SECOND)
    assert collector.collect(10.0)["perf_cycles_total"] > first


def test_a_counter_that_never_ran_is_missing_and_not_zero(roots):
    kernel = FakeKernel()
    collector = PerfEventsCollector(LinuxPerf(roots, lambda: kernel))
    collector.collect(0.0)
    run(kernel, cycles=0, instructions=0, enabled=5 * SECOND, running=0)
    assert collector.collect(5.0) == {}
    run(kernel, cycles=0, instructions=0, enabled=61 * SECOND, running=0)
    with pytest.raises(UnavailableError, match="never ran"):
        collector.collect(66.0)


def test_time_without_the_hardware_is_made_up_for_later(roots):
    kernel = FakeKernel()
    collector = PerfEventsCollector(LinuxPerf(roots, lambda: kernel))
    collector.collect(0.0)
    run(kernel, cycles=0, instructions=0, enabled=5 * SECOND, running=0)
    collector.collect(5.0)
    run(kernel, cycles=100, instructions=0, enabled=10 * SECOND, running=5 * SECOND)
    assert collector.collect(10.0)["perf_cycles_total"] == 2 * 200


def test_a_counter_that_the_processor_lacks_is_said(roots):
    kernel = FakeKernel(refuse={(3, 3 | 1 << 16): errno.ENOENT})
    collector = PerfEventsCollector(LinuxPerf(roots, lambda: kernel))
    collector.collect(0.0)
    run(kernel, cycles=1, instructions=1, enabled=SECOND, running=SECOND)
    values = collector.collect(5.0)
    assert "perf_dtlb_load_misses_total" not in values
    assert "perf_cycles_total" in values
    assert "does not count" in collector.gaps["dtlb_load_misses"]


def test_a_counter_of_some_cores_only_is_none_of_all_cores(roots):
    kernel = FakeKernel(refuse_cpu=(0, 5, 1))
    collector = PerfEventsCollector(LinuxPerf(roots, lambda: kernel))
    collector.collect(0.0)
    kernel.counts = {(0, 4): 100, (0, 5): 10}
    kernel.enabled = kernel.running = SECOND
    values = collector.collect(5.0)
    assert "perf_branch_misses_total" not in values
    assert values["perf_branch_instructions_total"] == 200


def test_a_core_that_is_switched_off_starts_the_counters_again(roots):
    kernel = FakeKernel()
    collector = PerfEventsCollector(LinuxPerf(roots, lambda: kernel))
    collector.collect(0.0)
    run(kernel, cycles=1000, instructions=1, enabled=SECOND, running=SECOND)
    collector.collect(5.0)
    (roots.sys / "devices/system/cpu/online").write_text("0\n")
    assert collector.collect(10.0) == {}
    assert kernel.closed == 14
    assert collector.collect(15.0) == {}
    run(kernel, cycles=1500, instructions=2, enabled=2 * SECOND, running=2 * SECOND)
    assert collector.collect(20.0)["perf_cycles_total"] == 2000 + 500


@pytest.mark.parametrize(
    ("code", "cpuinfo", "paranoid", "reason"),
    [
        (
            errno.ENOENT,
            "flags : fpu hypervisor\n",
            "2",
            "this virtual machine exposes no hardware performance counters",
        ),
        (errno.ENOENT, "flags : fpu\n", "2", "this processor exposes no hardware performance counters"),
        (errno.EACCES, "", "3", "perf_event_paranoid is 3; give the agent CAP_PERFMON or set it to 0"),
        (errno.EPERM, "", "-1", "container's policy forbids perf_event_open"),
        (errno.ENOSYS, "", "2", "built without performance events"),
        (errno.EMFILE, "", "2", "limit of open files"),
    ],
)
def test_why_there_are_none(roots, code, cpuinfo, paranoid, reason):
    (roots.proc / "cpuinfo").write_text(cpuinfo)
    (roots.proc / "sys/kernel/perf_event_paranoid").write_text(paranoid)
    with pytest.raises(UnavailableError, match=reason):
        PerfEventsCollector(LinuxPerf(roots, lambda: FakeKernel(refuse_all=code))).collect(0.0)


def test_counters_that_go_back_are_missing():
    before = GroupReading(10, 10, {"cycles": 100})
    assert scaled_increase(before, GroupReading(20, 20, {"cycles": 90}), "cycles") is None


def test_the_system_call_with_a_counter_that_needs_no_hardware():
    api = KernelPerfApi()
    cpu_clock = (1, 0)  # PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK: nanoseconds
    try:
        descriptor = api.open(*cpu_clock, 0, -1)
    except OSError as error:
        pytest.skip(f"this machine allows no counters of whole cores: {error}")
    second = api.open(*cpu_clock, 0, descriptor)
    first_reading = parse_group(api.read(descriptor, 40), ("one", "two"))
    next_reading = parse_group(api.read(descriptor, 40), ("one", "two"))
    api.close(second)
    api.close(descriptor)
    assert next_reading.running_nanoseconds > first_reading.running_nanoseconds > 0
    assert next_reading.counts["one"] > first_reading.counts["one"]


def test_lists_of_cores():
    assert parse_cpu_list(b"0-3,8\n") == [0, 1, 2, 3, 8]
    assert parse_cpu_list(b"\n") == []


def test_a_short_answer_is_an_error():
    with pytest.raises(ValueError, match="less than"):
        parse_group(b"\0" * 24, ("cycles",))
