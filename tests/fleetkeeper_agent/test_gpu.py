"""GPUs, with a stand-in for NVML."""

from types import SimpleNamespace

import pytest

from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.collectors.gpu import GpuCollector
from fleetkeeper_agent.platforms.nvidia import NvidiaGpus


class NVMLError(Exception):
    pass


class NVMLError_NotSupported(NVMLError):  # noqa: N801, N818 - NVML's own name
    pass


class FakeNvml:
    NVMLError = NVMLError

    def __init__(self, count=1, *, driver=True):
        self.count, self.driver, self.open = count, driver, 0

    def nvmlInit(self):  # noqa: N802
        if not self.driver:
            raise NVMLError("Driver Not Loaded")
        self.open += 1

    def nvmlShutdown(self):  # noqa: N802
        self.open -= 1

    def nvmlDeviceGetCount(self):  # noqa: N802
        return self.count

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return index

    def nvmlDeviceGetName(self, _handle):  # noqa: N802
        return b"NVIDIA A2\x00"

    def nvmlDeviceGetMemoryInfo(self, _handle):  # noqa: N802
        return SimpleNamespace(total=16.0, used=4.0)

    def nvmlDeviceGetUtilizationRates(self, _handle):  # noqa: N802
        return SimpleNamespace(gpu=37, memory=10)

    def nvmlDeviceGetTemperature(self, _handle, _sensor):  # noqa: N802
        return 55

    def nvmlDeviceGetPowerUsage(self, _handle):  # noqa: N802
        raise NVMLError_NotSupported


def missing():
    raise ImportError("pynvml")


def test_a_gpu_is_measured_and_what_it_does_not_tell_is_missing(tmp_path):
    nvml = FakeNvml()
    collector = GpuCollector(NvidiaGpus(lambda: nvml, tmp_path / "none"))
    values = collector.collect(0.0)
    assert values['gpu_utilization_percent{gpu="0"}'] == 37
    assert values['gpu_memory_used_bytes{gpu="0"}'] == 4
    assert 'gpu_power_watts{gpu="0"}' not in values
    assert collector.gaps == {"0.power_watts": "this model does not tell"}
    collector.close()
    assert nvml.open == 0


def test_models_are_for_the_inventory(tmp_path):
    assert NvidiaGpus(FakeNvml, tmp_path / "none").models() == ["NVIDIA A2\ufffd"]
    assert NvidiaGpus(missing, tmp_path / "none").models() == []


def test_why_there_is_none(tmp_path):
    node = tmp_path / "nvidiactl"
    with pytest.raises(UnavailableError, match="has no NVIDIA GPU"):
        NvidiaGpus(missing, node).gpus()
    with pytest.raises(UnavailableError, match="has no NVIDIA GPU"):
        NvidiaGpus(lambda: FakeNvml(driver=False), node).gpus()
    with pytest.raises(UnavailableError, match="shows no GPU"):
        NvidiaGpus(lambda: FakeNvml(0), node).gpus()
    node.touch()
    with pytest.raises(UnavailableError, match=r"install fleetkeeper\[gpu\]"):
        NvidiaGpus(missing, node).gpus()
    with pytest.raises(UnavailableError, match="does not answer: Driver Not Loaded"):
        NvidiaGpus(lambda: FakeNvml(driver=False), node).gpus()
