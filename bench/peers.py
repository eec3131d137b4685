"""The peers on this machine, each with a temporary data directory and its own defaults for durability."""

import shutil
import urllib.request
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
[monitor]
  store-enabled = false
[http]
  enabled = true
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
"""


@dataclass
class Peer:
    """A running peer."""

    name: str
    durability: str
    """What its acknowledgement means."""
    port: int
    path: str
    folder: Path
    started: Started


def influxdb(folder: Path) -> Peer | None:
    """Start InfluxDB 1.x; None when it is not on the PATH.

    Its write-ahead log is flushed for each request.
    """
    program = shutil.which("influxd")
    if program is None:
        return None
    folder.mkdir(parents=True)
    port = free_port()
    config = folder / "influxdb.conf"
    config.write_text(_INFLUX_CONFIG.format(folder=folder, port=port, rpc=free_port()))
    started = Started([program, "-config", str(config)], folder / "log")
    try:
        started.wait_for(f"http://{LOOPBACK}:{port}/ping")
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{port}/query?q=CREATE%20DATABASE%20bench", method="POST", data=b""
        )
        with urllib.request.urlopen(request, timeout=10.0):
            pass
    except BaseException:
        started.stop()
        raise
    return Peer("InfluxDB 1.6", "durable", port, "/write?db=bench", folder, started)


def victoria_metrics(folder: Path) -> Peer | None:
    """Start VictoriaMetrics; None when it is not on the PATH.

    It acknowledges before anything is on the disk.
    """
    program = shutil.which("victoria-metrics")
    if program is None:
        return None
    folder.mkdir(parents=True)
    port = free_port()
    arguments = [
        f"-storageDataPath={folder}/data",
        f"-httpListenAddr={LOOPBACK}:{port}",
        "-retentionPeriod=1",
    ]
    started = Started([program, *arguments], folder / "log")
    try:
        started.wait_for(f"http://{LOOPBACK}:{port}/health")
    except BaseException:
        started.stop()
        raise
    return Peer("VictoriaMetrics 1.79", "in memory", port, "/write", folder, started)


PEERS = (influxdb, victoria_metrics)
