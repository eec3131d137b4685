"""NVIDIA GPUs through NVML, by the optional package nvidia-ml-py."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.collectors.gpu import GpuReading
from fleetkeeper_agent.hostile_text import clean

_DEVICE_NODE = Path("/dev/nvidiactl")
_TEMPERATURE_OF_CORE = 0  # NVML_TEMPERATURE_GPU


class NvidiaGpus:
    """The GPUs that NVML shows; the library is loaded at the first question."""

    def __init__(
        self, load: Callable[[], Any] = lambda: import_module("pynvml"), device_node: Path = _DEVICE_NODE
    ) -> None:
        self._load = load
        self._device_node = device_node
        self._nvml: Any = None
        self._handles: list[Any] = []

    def gpus(self) -> list[GpuReading]:
        """All GPUs."""
        self._open()
        return [self._read(number, handle) for number, handle in enumerate(self._handles)]

    def models(self) -> list[str]:
        """The names of all GPUs."""
        try:
            self._open()
        except UnavailableError:
            return []
        names = [self._name(handle) for handle in self._handles]
        return [clean(name) for name in names if name]

    def close(self) -> None:
        """Give the driver back."""
        if self._nvml is not None:
            self._nvml.nvmlShutdown()
        self._nvml = None
        self._handles = []

    def _open(self) -> None:
        if self._nvml is not None:
            return
        try:
            nvml = self._load()
        except ImportError as error:
            if self._device_node.exists():
                raise UnavailableError(
                    "an NVIDIA driver is present, the package nvidia-ml-py is not; install fleetkeeper[gpu]"
                ) from error
            raise UnavailableError("not available: this machine has no NVIDIA GPU") from error
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            if self._device_node.exists():
                raise UnavailableError(f"the NVIDIA driver does not answer: {clean(str(error))}") from error
            raise UnavailableError("not available: this machine has no NVIDIA GPU") from error
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        if not handles:
            nvml.nvmlShutdown()
            raise UnavailableError("not available: the NVIDIA driver is loaded, but shows no GPU")
        self._nvml, self._handles = nvml, handles

    def _read(self, number: int, handle: Any) -> GpuReading:
        nvml = self._nvml
        memory = self._ask(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        utilization = self._ask(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        temperature = self._ask(lambda: nvml.nvmlDeviceGetTemperature(handle, _TEMPERATURE_OF_CORE))
        milliwatts = self._ask(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
        return GpuReading(
            number=number,
            utilization_percent=None if utilization is None else float(utilization.gpu),
            memory_total_bytes=None if memory is None else float(memory.total),
            memory_used_bytes=None if memory is None else float(memory.used),
            temperature_celsius=None if temperature is None else float(temperature),
            power_watts=None if milliwatts is None else milliwatts / 1000,
        )

    def _name(self, handle: Any) -> Any:
        return self._ask(lambda: self._nvml.nvmlDeviceGetName(handle))

    def _ask(self, question: Callable[[], Any]) -> Any:
        # Each model supports its own part of NVML; what it does not is missing, not zero.
        try:
            return question()
        except self._nvml.NVMLError as error:
            if type(error).__name__ in {
                "NVMLError_NotSupported",
                "NVMLError_NoPermission",
                "NVMLError_NoData",
            }:
                return None
            raise


def gpu_models() -> list[str]:
    """The names of all NVIDIA GPUs, for the inventory."""
    gpus = NvidiaGpus()
    try:
        return gpus.models()
    finally:
        gpus.close()
