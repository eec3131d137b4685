"""Memory from `/proc/meminfo`, paging from `/proc/vmstat`."""

from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.collectors.memory import MemoryState
from fleetkeeper_agent.host_files import HostRoots, read_or_none, read_small


def parse_meminfo(data: bytes) -> dict[str, float]:
    """Read `/proc/meminfo` into bytes by name."""
    found: dict[str, float] = {}
    for line in data.split(b"\n"):
        name, colon, rest = line.partition(b":")
        fields = rest.split()
        if not colon or not fields:
            continue
        try:
            number = float(fields[0])
        except ValueError:
            continue
        found[name.decode("ascii", "replace")] = number * 1024 if fields[1:] == [b"kB"] else number
    return found


def memory_state(meminfo: dict[str, float]) -> MemoryState:
    """Pick the sizes that are reported. Raises UnavailableError when the total is missing."""
    total = meminfo.get("MemTotal")
    if not total:
        raise UnavailableError("/proc/meminfo shows no MemTotal")
    available = meminfo.get("MemAvailable")
    if available is None:  # before Linux 3.14: what free(1) took for it
        available = sum(meminfo.get(name, 0.0) for name in ("MemFree", "Buffers", "Cached"))
    return MemoryState(
        total=total,
        available=min(available, total),
        buffers=meminfo.get("Buffers"),
        cached=meminfo.get("Cached"),
        swap_total=meminfo.get("SwapTotal"),
        swap_free=meminfo.get("SwapFree"),
    )


def parse_vmstat(data: bytes, names: frozenset[str]) -> dict[str, float]:
    """Read the named counters of `/proc/vmstat`."""
    found: dict[str, float] = {}
    for line in data.split(b"\n"):
        fields = line.split()
        if len(fields) != 2:
            continue
        name = fields[0].decode("ascii", "replace")
        if name in names:
            try:
                found[name] = float(fields[1])
            except ValueError:
                continue
    return found


class LinuxMemory:
    """Reads memory and paging."""

    def __init__(self, roots: HostRoots) -> None:
        self._roots = roots

    def memory(self) -> MemoryState:
        """The sizes now."""
        return memory_state(parse_meminfo(read_small(self._roots.proc / "meminfo")))

    def paging(self, names: frozenset[str]) -> dict[str, float]:
        """The paging counters now."""
        data = read_or_none(self._roots.proc / "vmstat")
        if data is None:
            raise UnavailableError("/proc/vmstat cannot be read")
        return parse_vmstat(data, names)
