"""What the agent costs: processor time and memory of a real agent whose server accepts everything."""

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SETTLE_SECONDS = 10.0


class _AcceptAll(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    frames = 0
    values = 0
    bytes_received = 0
    config = b""

    def do_GET(self) -> None:
        self._answer(self.config)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        cls = type(self)
        cls.bytes_received += len(body)
        if self.path == "/api/v1/enroll":
            self._answer(b'{"device_id":"0","device_key":"footprint"}')
            return
        if self.path == "/api/v1/telemetry":
            frames = json.loads(gzip.decompress(body))["frames"]
            cls.frames += len(frames)
            cls.values += sum(len(frame["values"]) for frame in frames)
            self._answer(b'{"accepted":%d,"duplicates":0}' % len(frames))
            return
        self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Fleetkeeper-Config", '"1"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: standard output is for the figures."""


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(seconds: float, interval: float) -> dict[str, float]:
    _AcceptAll.config = json.dumps(
        {
            "interval_seconds": interval,
            "process_interval_seconds": 30.0,
            "inventory_interval_seconds": 3600.0,
            "features": {},
        }
    ).encode()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _AcceptAll)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as state:
        url = f"http://127.0.0.1:{server.server_port}"
        command = [sys.executable, "-m", "fleetkeeper_agent.main", "run"]
        agent = subprocess.Popen(
            [*command, "--state", state, "--server", url, "--token", "footprint"],
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(SETTLE_SECONDS)  # the start is a cost of its own, shown apart
            start_cost = processor_seconds(agent.pid)
            began, frames = time.monotonic(), _AcceptAll.frames
            resident: list[int] = []
            while time.monotonic() - began < seconds:
                time.sleep(min(1.0, seconds))
                resident.append(resident_bytes(agent.pid))
            elapsed = time.monotonic() - began
            used = processor_seconds(agent.pid) - start_cost
        finally:
            agent.terminate()
            agent.wait(timeout=10)
            server.shutdown()
            server.server_close()
    return {
        "seconds": elapsed,
        "start_cpu_seconds": start_cost,
        "percent_of_a_core": used * 100 / elapsed,
        "rss_max_mib": max(resident) / 2**20,
        "rss_median_mib": statistics.median(resident) / 2**20,
        "rss_first_mib": resident[0] / 2**20,
        "rss_last_mib": resident[-1] / 2**20,
        "frames_sent": _AcceptAll.frames - frames,
        "values_per_frame": _AcceptAll.values / max(1, _AcceptAll.frames),
        "bytes_received": _AcceptAll.bytes_received,
        "exit_code": agent.returncode,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=600.0, help="how long to measure")
    parser.add_argument("--interval", type=float, default=5.0, help="seconds between two frames")
    options = parser.parse_args()
    for name, value in measure(options.seconds, options.interval).items():
        print(f"{name:20} {value:12.3f}")


if __name__ == "__main__":
    main()
