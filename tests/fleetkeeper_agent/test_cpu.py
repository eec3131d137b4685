"""Processor: shares between two readings, parsers, and what is missing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper_agent.collectors.cpu import CpuCollector, CpuTimes, shares
from fleetkeeper_agent.host_files import HostRoots
from fleetkeeper_agent.platforms.linux.cpu import (
    LinuxCpu,
    hottest,
    parse_cpuinfo_megahertz,
    parse_loadavg,
    parse_stat,
)

STAT = b"""cpu  100 20 50 800 10 3 2 5 7 0
cpu0 50 10 25 400 5 1 1 3 7 0
cpu12 50 10 25 400 5 2 1 2 0 0
intr 12345 0 0
cpux is not a core
"""


def tree(tmp_path: Path, files: dict[str, str]) -> HostRoots:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return HostRoots(proc=tmp_path / "proc", sys=tmp_path / "sys", etc=tmp_path / "etc", run=tmp_path / "run")


def test_stat_is_read_into_total_and_cores():
    found = parse_stat(STAT)
    assert set(found) == {"", "0", "12"}
    assert found[""] == CpuTimes(user=120, system=55, idle=800, iowait=10, steal=5)


def test_stat_of_an_old_kernel_has_no_steal():
    assert parse_stat(b"cpu 1 2 3 4\n")[""] == CpuTimes(3, 3, 4, None, None)


def test_shares_add_up():
    found = shares(CpuTimes(0, 0, 0, 0, 0), CpuTimes(30, 10, 50, 5, 5))
    assert found is not None
    assert found.user == 30
    assert found.system == 10
    assert found.usage == 45
    assert (found.idle, found.iowait, found.steal) == (50, 5, 5)


@pytest.mark.parametrize("field", ["user", "system", "idle", "steal"])
def test_a_counter_that_went_back_gives_no_shares(field):
    before = CpuTimes(100, 100, 100, 100, 100)
    after = CpuTimes(150, 150, 150, 150, 150)._replace(**{field: 3})
    assert shares(before, after) is None


def test_waiting_may_run_backwards():
    found = shares(CpuTimes(0, 0, 0, 10, 0), CpuTimes(50, 0, 50, 5, 0))
    assert found is not None
    assert found.iowait == 0
    assert found.usage == 50


def test_no_time_gives_no_shares():
    times = CpuTimes(1, 2, 3, 4, 5)
    assert shares(times, times) is None


# No kernel counts in smaller steps than this.
counts = st.floats(min_value=0, max_value=1e15).map(lambda count: round(count, 3))
times = st.builds(CpuTimes, counts, counts, counts, counts | st.none(), counts | st.none())


@given(times, times)
def test_shares_are_percentages_whatever_the_counters_do(before, after):
    found = shares(before, after)
    if found is not None:
        assert all(-1e-9 <= share <= 100.0001 for share in found if share is not None)


@given(st.binary(max_size=400))
def test_parsers_survive_any_bytes(data):
    parse_stat(data)
    parse_stat(b"cpu " + data)
    parse_cpuinfo_megahertz(b"cpu MHz : " + data)


def test_the_first_sample_has_no_shares_and_the_second_has(tmp_path):
    roots = tree(tmp_path, {"proc/stat": STAT.decode(), "proc/loadavg": "0.5 0.4 0.3 1/84 7096\n"})
    collector = CpuCollector(LinuxCpu(roots))
    first = collector.collect(0.0)
    assert first == {"load_average_1m": 0.5, "load_average_5m": 0.4, "load_average_15m": 0.3}
    (roots.proc / "stat").write_text(
        "cpu 200 20 50 900 10 3 2 5\ncpu0 50 10 25 500 5 1 1 3\ncpu7 1 1 1 1 1 1 1 1\n"
    )
    second = collector.collect(5.0)
    assert second["cpu_usage_percent"] == 50.0
    assert second['cpu_core_usage_percent{core="0"}'] == 0.0
    assert 'cpu_core_usage_percent{core="12"}' not in second, "a core that was switched off is missing"
    assert 'cpu_core_usage_percent{core="7"}' not in second, "a core that is new has nothing to compare with"
    collector.close()
    assert "cpu_usage_percent" not in collector.collect(10.0)


def test_what_is_missing_is_said(tmp_path):
    collector = CpuCollector(LinuxCpu(tree(tmp_path, {"proc/stat": STAT.decode()})))
    collector.collect(0.0)
    assert set(collector.gaps) == {"load", "frequency", "temperature"}
    assert "temperature sensor" in collector.gaps["temperature"]


def test_frequency_is_the_mean_of_the_policies(tmp_path):
    cpufreq = "sys/devices/system/cpu/cpufreq"
    files = {
        f"{cpufreq}/policy0/scaling_cur_freq": "2000000\n",
        f"{cpufreq}/policy1/scaling_cur_freq": "3000000\n",
    }
    assert LinuxCpu(tree(tmp_path, files)).frequency_megahertz() == 2500.0


def test_frequency_from_cpuinfo_is_not_read_at_each_sample(tmp_path):
    roots = tree(tmp_path, {"proc/cpuinfo": "cpu MHz : 1000.0\ncpu MHz\t\t: 2000.0\n"})
    cpu = LinuxCpu(roots)
    assert cpu.frequency_megahertz() == 1500.0
    (roots.proc / "cpuinfo").write_text("cpu MHz : 3000.0\n")
    assert [cpu.frequency_megahertz() for _ in range(12)] == [1500.0] * 11 + [3000.0]


def test_temperature_is_the_hottest_of_the_package(tmp_path):
    hwmon = "sys/class/hwmon"
    files = {
        f"{hwmon}/hwmon0/name": "nvme\n",
        f"{hwmon}/hwmon0/temp1_input": "99000\n",
        f"{hwmon}/hwmon1/name": "coretemp\n",
        f"{hwmon}/hwmon1/temp1_input": "45000\n",
        f"{hwmon}/hwmon1/temp2_input": "51000\n",
        f"{hwmon}/hwmon1/temp2_crit": "100000\n",
        f"{hwmon}/hwmon1/temp3_input": "not a number\n",
    }
    assert LinuxCpu(tree(tmp_path, files)).temperature_celsius() == 51.0


def test_temperature_from_a_thermal_zone(tmp_path):
    files = {
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "sys/class/thermal/thermal_zone0/temp": "40500\n",
    }
    assert LinuxCpu(tree(tmp_path, files)).temperature_celsius() == 40.5


def test_broken_sensors_are_not_believed():
    assert hottest([0.0, -128.0, 255.0]) is None
    assert hottest([0.0, 40.0, 255.0]) == 40.0


def test_this_recording(recorded):
    found = parse_stat((recorded / "linux/proc/stat").read_bytes())
    assert set(found) == {"", "0", "1"}
    assert parse_loadavg((recorded / "linux/proc/loadavg").read_bytes())[0] >= 0
    assert parse_cpuinfo_megahertz((recorded / "linux/proc/cpuinfo").read_bytes()) == 2596.15
