"""What a run of the benchmarks is asked to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Options of the command line; bounds keep a run short and on this machine."""

    seconds: float = 10.0
    """Length of each measurement, without its warm-up."""
    only: tuple[str, ...] = ()
    """Parts of `ingest` to run; all when empty."""
    web_processes: int = 1
    profile: bool = False
    devices: int = 100_000
    """Devices in `pages` and `inventory`."""

    alerts: int = 200_000
    """Rows of the log in `alerts`."""
    alert_interval: int = 15
    """Seconds between evaluations of a rule in `alerts`."""

    requests: int = 1_000_000
    """Requests of devices in `supply`."""
    locations: int = 100
    parts: int = 5000
    """Parts at each location in `supply`."""
    orders: int = 100_000
    """Orders in `supply`."""

    hosts: int = 1000
    """Machines of `tsbs`."""
    rounds: int = 20
    """How often `tsbs` asks each kind."""

    protocol_hosts: int = 400
    """Machines of `protocols` and `mixed`."""
    protocol_requests: int = 3000
    """Requests that `protocols` makes for each protocol at most: more than it sends in six seconds."""

    days: int = 365
    """Days of `years`, and of `rollups`."""
    machines: int = 50
    """Machines of document 002 in `years` and `rollups`."""

    def wants(self, part: str) -> bool:
        """Return whether a part of `ingest` is to be run."""
        return not self.only or part in self.only
