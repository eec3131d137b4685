"""Processor times, load, clock and temperature from `/proc` and `/sys`."""

import math
from collections.abc import Iterable
from pathlib import Path

from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.collectors.cpu import TOTAL, CpuTimes
from fleetkeeper_agent.host_files import HostRoots, read_number, read_or_none, read_small, sorted_children

# Drivers whose sensors sit in the processor package.
CPU_SENSORS = (
    "coretemp",
    "k10temp",
    "zenpower",
    "cpu_thermal",
    "cpu-thermal",
    "soc_thermal",
    "x86_pkg_temp",
    "cpu",
)
# A reading from /proc/cpuinfo interrupts every core on some processors, so it is not taken at each sample.
CPUINFO_EVERY_SAMPLES = 12
HOTTEST_BELIEVED_CELSIUS = 150.0


def parse_stat(data: bytes) -> dict[str, CpuTimes]:
    """Read `/proc/stat`, in clock ticks. Guest time is part of user time there and is not added again."""
    found: dict[str, CpuTimes] = {}
    for line in data.split(b"\n"):
        if not line.startswith(b"cpu"):
            if found:
                break
            continue
        fields = line.split()
        try:
            numbers = [float(field) for field in fields[1:9]]
            user, nice, system, idle = numbers[:4]
        except ValueError:
            continue
        irq, softirq = numbers[5:7] if len(numbers) >= 7 else (0.0, 0.0)
        core = fields[0][3:].decode("ascii", "replace")
        found[core or TOTAL] = CpuTimes(
            user=user + nice,
            system=system + irq + softirq,
            idle=idle,
            iowait=numbers[4] if len(numbers) >= 5 else None,
            steal=numbers[7] if len(numbers) >= 8 else None,
        )
    return found


def parse_loadavg(data: bytes) -> tuple[float, float, float]:
    """Read `/proc/loadavg`. Raises ValueError."""
    one, five, fifteen = (float(field) for field in data.split()[:3])
    return one, five, fifteen


def parse_cpuinfo_megahertz(data: bytes) -> float | None:
    """Mean of the `cpu MHz` lines of `/proc/cpuinfo`; None when there is none."""
    clocks: list[float] = []
    for line in data.split(b"\n"):
        key, colon, value = line.partition(b":")
        if colon and key.strip().lower() == b"cpu mhz":
            try:
                clocks.append(float(value))
            except ValueError:
                continue
    return sum(clocks) / len(clocks) if clocks else None


def hottest(celsius: Iterable[float]) -> float | None:
    """The highest believable reading. Broken sensors show 0, minus something, or the end of their scale."""
    return max((value for value in celsius if 0 < value < HOTTEST_BELIEVED_CELSIUS), default=None)


class LinuxCpu:
    """Reads the processor's state; where the sensors are is looked up once."""

    def __init__(self, roots: HostRoots) -> None:
        self._roots = roots
        self._sensors: list[Path] | None = None
        self._clocks: list[Path] | None = None
        self._cpuinfo_megahertz: float | None = None
        self._samples_until_cpuinfo = 0

    def times(self) -> dict[str, CpuTimes]:
        """Times by core, and of all."""
        return parse_stat(read_small(self._roots.proc / "stat"))

    def load(self) -> tuple[float, float, float]:
        """Load averages over 1, 5 and 15 minutes."""
        data = read_or_none(self._roots.proc / "loadavg")
        if not data:
            raise UnavailableError("the kernel shows no load average")
        return parse_loadavg(data)

    def frequency_megahertz(self) -> float:
        """Mean over the cores: from cpufreq where there is a driver, else from cpuinfo."""
        if self._clocks is None:
            policies = sorted_children(self._roots.sys / "devices/system/cpu/cpufreq")
            self._clocks = [
                policy / "scaling_cur_freq" for policy in policies if policy.name.startswith("policy")
            ]
        kilohertz = [
            found for clock in self._clocks if (found := read_number(clock)) is not None and found > 0
        ]
        if kilohertz:
            return sum(kilohertz) / len(kilohertz) / 1000
        if self._samples_until_cpuinfo <= 0:
            self._samples_until_cpuinfo = CPUINFO_EVERY_SAMPLES
            self._cpuinfo_megahertz = parse_cpuinfo_megahertz(
                read_or_none(self._roots.proc / "cpuinfo") or b""
            )
        self._samples_until_cpuinfo -= 1
        if self._cpuinfo_megahertz is None:
            raise UnavailableError("neither cpufreq nor /proc/cpuinfo shows a clock frequency")
        return self._cpuinfo_megahertz

    def temperature_celsius(self) -> float:
        """Hottest sensor of the processor package."""
        if self._sensors is None:
            self._sensors = self._find_sensors()
        readings = (read_number(sensor) for sensor in self._sensors)
        found = hottest(
            reading / 1000 for reading in readings if reading is not None and math.isfinite(reading)
        )
        if found is None:
            raise UnavailableError("this machine shows no temperature sensor of its processor")
        return found

    def _find_sensors(self) -> list[Path]:
        sensors: list[Path] = []
        for chip in sorted_children(self._roots.sys / "class/hwmon"):
            if _driver(chip / "name").startswith(CPU_SENSORS):
                sensors += [entry for entry in sorted_children(chip) if _is_input(entry)]
        if not sensors:
            for zone in sorted_children(self._roots.sys / "class/thermal"):
                if _driver(zone / "type").startswith(CPU_SENSORS):
                    sensors.append(zone / "temp")
        return sensors


def _driver(path: Path) -> str:
    return (read_or_none(path) or b"").strip().decode("ascii", "replace").lower()


def _is_input(path: Path) -> bool:
    return path.name.startswith("temp") and path.name.endswith("_input")
