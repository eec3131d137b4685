"""The peers on this machine, each with a temporary data directory and its own defaults for durability.

A program is taken from the PATH, or from the folder that `.ci/peers` unpacks Debian's packages into.
"""

import os
import shutil
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.load import LOOPBACK
from bench.processes import Started, free_port

_INFLUX_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
  cache-snapshot-write-cold-duration = "{cold}"
  compact-full-write-cold-duration = "{cold}"
[monitor]
  store-enabled = false
[http]
  enabled = true
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  max-body-size = 0
"""
_UNPACKED = Path(__file__).parents[1] / ".peers"


@dataclass
class Peer:
    """A running peer."""

    name: str
    durability: str
    """What its acknowledgement means."""
    port: int
    path: str
    """Where it takes line protocol; empty when it does not."""
    folder: Path
    started: Started
    remote_write: str = ""
    """Where it takes remote_write 1.0; empty when it does not."""

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://{LOOPBACK}:{self.port}"


def find_program(name: str) -> str | None:
    """A peer's program; None when it is not on this machine."""
    unpacked = Path(os.environ.get("FLEETKEEPER_PEERS") or _UNPACKED)
    for folder in ("usr/bin", "usr/sbin"):
        if (unpacked / folder / name).is_file():
            return str(unpacked / folder / name)
    return shutil.which(name)


def influxdb(folder: Path, *, cold_seconds: int = 600) -> Peer | None:
    """Start InfluxDB 1.x; None when it is not on this machine.

    Its write-ahead log is flushed for each request. What was not written to for `cold_seconds` is compacted.
    """
    program = find_program("influxd")
    if program is None:
        return None
    folder.mkdir(parents=True)
    port = free_port()
    config = folder / "influxdb.conf"
    config.write_text(
        _INFLUX_CONFIG.format(folder=folder, port=port, rpc=free_port(), cold=f"{cold_seconds}s")
    )
    started = Started([program, "-config", str(config)], folder / "log")

    def make_database() -> None:
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{port}/query?q=CREATE%20DATABASE%20bench", method="POST", data=b""
        )
        with urllib.request.urlopen(request, timeout=10.0):
            pass

    _wait(started, f"http://{LOOPBACK}:{port}/ping", make_database)
    return Peer("InfluxDB 1.6", "durable", port, "/write?db=bench", folder, started)


def victoria_metrics(folder: Path) -> Peer | None:
    """Start VictoriaMetrics; None when it is not on this machine.

    It acknowledges before anything is on the disk.
    """
    program = find_program("victoria-metrics")
    if program is None:
        return None
    folder.mkdir(parents=True)
    port = free_port()
    arguments = [
        f"-storageDataPath={folder}/data",
        f"-httpListenAddr={LOOPBACK}:{port}",
        "-retentionPeriod=1",
        "-search.maxUniqueTimeseries=1000000",
        "-search.maxSamplesPerQuery=1000000000",
    ]
    started = Started([program, *arguments], folder / "log")
    _wait(started, f"http://{LOOPBACK}:{port}/health")
    return Peer("VictoriaMetrics 1.79", "in memory", port, "/write", folder, started, "/api/v1/write")


def prometheus(folder: Path) -> Peer | None:
    """Start Prometheus; None when it is not on this machine.

    It acknowledges once its write-ahead log is written, which it does not flush to the disk for each request.
    """
    program = find_program("prometheus")
    if program is None:
        return None
    folder.mkdir(parents=True)
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text("global: {}\n")
    arguments = [
        f"--config.file={config}",
        f"--storage.tsdb.path={folder}/data",
        "--storage.tsdb.retention.time=30d",
        f"--web.listen-address={LOOPBACK}:{port}",
        "--web.enable-remote-write-receiver",
        "--web.enable-admin-api",
        "--query.max-samples=500000000",
        "--log.level=warn",
    ]
    started = Started([program, *arguments], folder / "log")
    _wait(started, f"http://{LOOPBACK}:{port}/-/ready")
    return Peer("Prometheus 2.42", "in its log", port, "", folder, started, "/api/v1/write")


def _wait(started: Started, url: str, then: Callable[[], None] = lambda: None) -> None:
    """Wait until it answers; ends it when it does not."""
    try:
        started.wait_for(url)
        then()
    except BaseException:
        started.stop()
        raise


PEERS = (influxdb, victoria_metrics)
"""Those that take line protocol."""
