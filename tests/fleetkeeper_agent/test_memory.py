"""Memory and paging."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.collectors.memory import MemoryCollector, MemoryState
from fleetkeeper_agent.collectors.memory_bandwidth import NAMES, MemoryBandwidthCollector
from fleetkeeper_agent.host_files import HostRoots
from fleetkeeper_agent.platforms.linux.memory import LinuxMemory, memory_state, parse_meminfo, parse_vmstat


class Fixed:
    def __init__(self, state=None, counters=None):
        self.state, self.counters = state, counters

    def memory(self):
        return self.state

    def paging(self, names):
        return {name: value for name, value in self.counters.items() if name in names}


def test_this_recording(recorded):
    values = MemoryCollector(LinuxMemory(HostRoots(proc=recorded / "linux/proc"))).collect(0.0)
    assert values["memory_total_bytes"] == 24684084 * 1024
    assert values["memory_used_bytes"] == values["memory_total_bytes"] - values["memory_available_bytes"]
    assert values["swap_total_bytes"] == 0
    assert "swap_usage_percent" not in values, "there is no share of nothing"


def test_no_swap_is_said():
    collector = MemoryCollector(Fixed(MemoryState(100, 40, 1, 2, 0, 0)))
    assert collector.collect(0.0)["memory_usage_percent"] == 60
    assert "no swap space" in collector.gaps["swap"]


def test_swap_in_use():
    collector = MemoryCollector(Fixed(MemoryState(100, 40, None, None, 200, 150)))
    values = collector.collect(0.0)
    assert values["swap_used_bytes"] == 50
    assert values["swap_usage_percent"] == 25
    assert "memory_buffers_bytes" not in values
    assert not collector.gaps


def test_an_old_kernel_without_memavailable():
    state = memory_state(
        parse_meminfo(b"MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 250 kB\n")
    )
    assert state.available == 400 * 1024


def test_no_total_is_unavailable():
    with pytest.raises(UnavailableError):
        memory_state({})


@given(st.binary(max_size=300))
def test_parsers_survive_any_bytes(data):
    parse_meminfo(data)
    parse_vmstat(data, NAMES)


def test_paging_rates_need_two_samples():
    source = Fixed(counters={"pgfault": 1000.0, "pgpgin": 10.0, "other": 1.0})
    collector = MemoryBandwidthCollector(source)
    assert collector.collect(100.0) == {}
    source.counters = {"pgfault": 1500.0, "pgpgin": 20.0}
    assert collector.collect(105.0) == {"vmstat_pgfault_per_second": 100.0, "vmstat_pgpgin_per_second": 2.0}


def test_a_reset_counter_is_missing_and_no_spike():
    source = Fixed(counters={"pgfault": 2.0**64 - 10, "pgpgin": 10.0})
    collector = MemoryBandwidthCollector(source)
    collector.collect(100.0)
    source.counters = {"pgfault": 5.0, "pgpgin": 20.0}
    assert collector.collect(105.0) == {"vmstat_pgpgin_per_second": 2.0}
    source.counters = {"pgfault": 10.0, "pgpgin": 20.0}
    assert collector.collect(110.0)["vmstat_pgfault_per_second"] == 1.0


def test_after_being_switched_off_there_is_no_rate_over_the_gap():
    source = Fixed(counters={"pgfault": 1.0})
    collector = MemoryBandwidthCollector(source)
    collector.collect(100.0)
    collector.close()
    assert collector.collect(200.0) == {}


def test_no_counters_is_unavailable(tmp_path):
    with pytest.raises(UnavailableError):
        MemoryBandwidthCollector(LinuxMemory(HostRoots(proc=tmp_path))).collect(0.0)
    with pytest.raises(UnavailableError):
        MemoryBandwidthCollector(Fixed(counters={})).collect(0.0)
