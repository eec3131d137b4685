"""Rules over a fleet that reports: what they cost, how soon an alert is told, and ten thousand at once.

A real Prometheus takes the same values by remote write and evaluates the same rules beside it. Both tell a receiver on
loopback: Fleetkeeper a webhook, Prometheus what would be its Alertmanager.
"""

import json
import multiprocessing
import queue
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np

from bench import payloads, peers
from bench.load import LOOPBACK, Generator, Plan, Request
from bench.options import Options
from bench.payloads import CHANNELS, http_request
from bench.processes import CpuMeter, only
from bench.protocol_bodies import Batch
from bench.remote_write import HEADERS, body, label_bytes
from bench.report import Section
from bench.server import Server

RULES = 50
REPORTS_EVERY = 10
_PROBES = 20
_HOSTS_PER_WRITE = 20
_METRICS = tuple(
    name
    for name in dict.fromkeys(channel.partition("{")[0] for channel in CHANNELS)
    if name.endswith(("_percent", "_bytes", "_1m", "_5m", "_15m"))
)
_PROBE = "cpu_usage_percent"
_FAR = 1e18


@dataclass
class Receiver:
    """Keeps when which instance was first told to fire."""

    port: int = 0
    told: "queue.Queue[tuple[float, str, str]]" = field(default_factory=queue.Queue)

    @property
    def url(self) -> str:
        """Where to send to."""
        return f"http://{LOOPBACK}:{self.port}"

    def note(self, content: Any) -> None:
        """Keep what a webhook or Prometheus says."""
        now = time.time()
        for alert in content.get("alerts") or [] if isinstance(content, dict) else content:
            labels = alert["labels"]
            self.told.put((now, labels.get("alertname", ""), labels.get("instance", "")))


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of loopback."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            receiver.note(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def run(server: Server, options: Options, folder: Path) -> list[Section]:
    """Measure a fresh Fleetkeeper, whose calls to loopback are allowed, and Prometheus after it."""
    hosts = min(options.hosts, 1000)
    interval = options.alert_interval
    seconds = max(2.0 * interval, 3 * options.seconds)
    cost = Section(
        f"Alerts: {hosts:,} devices report each {REPORTS_EVERY} s, {RULES} rules each {interval} s"
    )
    values = payloads.frame_values(hosts, 1)[:, 0, :]
    with receiving() as receiver:
        enrolled = server.enrol([*payloads.device_names(hosts), *(f"probe-{n}" for n in range(_PROBES))])
        keys = [key for _, key in enrolled]
        system = Fleetkeeper(server, receiver, keys[hosts:], interval)
        _measure(cost, system, Writing(server.port, "fleetkeeper", values, keys[:hosts]), seconds)
        storm = _storm(server, receiver, hosts, values, keys[:hosts])
    with receiving() as receiver:
        peer = Prometheus.start(folder / "prometheus", receiver, interval)
        if peer is None:
            cost.note("Prometheus is not on this machine; `.ci/peers` gets it.")
        else:
            try:
                hosts_of = payloads.device_names(hosts)
                _measure(cost, peer, Writing(peer.peer.port, "prometheus", values, hosts_of), seconds)
            finally:
                peer.peer.started.stop()
    cost.note(
        "Cores: what the system's processes used while it took the reports, without the rules and with them. "
        f"To notice: from the answer to a report that is above a threshold to the call of the receiver; a rule is due "
        f"each {interval} s, so that half of that is waiting on average."
    )
    return [cost, storm]


@dataclass(frozen=True)
class Writing:
    """What a process of its own sends, round after round."""

    port: int
    system: str
    values: Any
    senders: Sequence[str]

    def plan(self) -> Plan:
        """One round of reports."""
        if self.system == "fleetkeeper":
            plan = payloads.fleetkeeper_plan(self.values[:, None, :], 1, self.senders)
        else:
            plan = _remote_write_plan(self.values, self.senders)
        plan.start_ms, plan.step_ms = int(time.time() * 1000), REPORTS_EVERY * 1000
        return plan


def _remote_write_plan(values: Any, hosts: Sequence[str]) -> Plan:
    """Bodies are compressed, so that their moments cannot be changed: enough rounds for the run are made before."""
    rounds, now = 40, int(time.time() * 1000)
    batches = [Batch(hosts[n : n + _HOSTS_PER_WRITE]) for n in range(0, len(hosts), _HOSTS_PER_WRITE)]
    requests = []
    for number in range(rounds):
        for place, batch in enumerate(batches):
            rows = values[place * _HOSTS_PER_WRITE : (place + 1) * _HOSTS_PER_WRITE]
            content = batch.remote_write(now + number * REPORTS_EVERY * 1000, rows)
            headers = [f"{name}: {text}" for name, text in HEADERS.items()]
            requests.append(Request(bytearray(http_request("/api/v1/write", headers, content)), ()))
    return Plan("Prometheus", requests, len(batches), 1, len(CHANNELS), nanoseconds=False, expect=b"",
                start_ms=now, step_ms=REPORTS_EVERY * 1000)  # fmt: skip


def write(task: Writing, seconds: float, ready: Any) -> None:
    """Send a round each ten seconds, evenly spread; runs in a process of its own."""
    plan = task.plan()
    generator = Generator(plan, task.port, connections=4, rate=plan.devices / REPORTS_EVERY)
    generator.run(seconds, warm_up=0.5, on_counting=ready.set)


@contextmanager
def writing(task: Writing, seconds: float) -> Iterator[None]:
    """The reports, for so many seconds or until the block ends."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=write, args=(task, seconds, ready), daemon=True)
    process.start()
    try:
        if not ready.wait(60):
            raise RuntimeError("the reports did not begin")
        yield
    finally:
        process.terminate()
        process.join(10)


class Fleetkeeper:
    """The product, with a webhook of the receiver's."""

    title = "Fleetkeeper"

    def __init__(self, server: Server, receiver: Receiver, keys: Sequence[str], interval: int) -> None:
        self.server, self.receiver, self.interval, self._keys = server, receiver, interval, keys
        self.groups = server.groups()
        with server.client() as client:
            for rule in _all(client, "/api/v1/alert-rules"):
                if rule["enabled"]:
                    _switch(client, rule, is_on=False)
            channel = {"name": "Bench", "kind": "webhook", "url": receiver.url, "format": "alertmanager"}
            made = client.post("/api/v1/notification-channels", json=channel)
            made.raise_for_status()
            told = {"name": "Bench", "channel_ids": [made.json()["id"]]}
            receiver_id = client.post("/api/v1/alert-receivers", json=told).raise_for_status().json()["id"]
            (root,) = _all(client, "/api/v1/alert-routes")
            route = {
                "name": root["name"],
                "receiver_id": receiver_id,
                "group_by": ["alertname", "instance"],
                "group_wait_seconds": 0,
                "group_interval_seconds": 1,
            }
            client.put(f"/api/v1/alert-routes/{root['id']}", json=route).raise_for_status()

    def add_rules(self) -> None:
        """The rules that never fire, and the one that the probes make fire."""
        with self.server.client() as client:
            for number, (name, metric, limit) in enumerate(_rules()):
                condition: dict[str, Any] = {"kind": "threshold", "metric": metric, "threshold": limit}
                if number % 10 == 9:
                    condition = {"kind": "promql", "expr": f"{metric} > {limit}"}
                wanted = {"name": name, "condition": condition, "interval_seconds": self.interval}
                client.post("/api/v1/alert-rules", json=wanted).raise_for_status()

    def report(self, number: int, value: float) -> None:
        """One report of a probe; returns when it is acknowledged."""
        frame = {"ts": time.time(), "values": {_PROBE: value}}
        headers = {"Authorization": f"Bearer {self._keys[number]}"}
        answer = httpx.post(
            f"{self.server.url}/api/v1/telemetry", json={"frames": [frame]}, headers=headers, trust_env=False
        )
        answer.raise_for_status()


@dataclass
class Prometheus:
    """The peer, whose Alertmanager is the receiver."""

    peer: peers.Peer
    receiver: Receiver
    interval: int
    title = "Prometheus 2.42"

    @property
    def groups(self) -> Mapping[str, Any]:
        """Its processes."""
        return {"all": only(self.peer.started.pid)}

    @classmethod
    def start(cls, folder: Path, receiver: Receiver, interval: int) -> "Prometheus | None":
        """Start it without rules; None when it is not on this machine."""
        peer = peers.prometheus(folder)
        return None if peer is None else cls(peer, receiver, interval)

    def add_rules(self) -> None:
        """The same rules, a group each, as Fleetkeeper evaluates them apart."""
        groups = [
            {
                "name": name,
                "interval": f"{self.interval}s",
                "rules": [{"alert": name, "expr": f"{metric} > {limit}"}],
            }
            for name, metric, limit in _rules()
        ]
        # JSON is YAML.
        (self.peer.folder / "rules.yml").write_text(json.dumps({"groups": groups}))
        target = {"targets": [self.receiver.url.removeprefix("http://")]}
        config = {
            "rule_files": [str(self.peer.folder / "rules.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [target]}]},
        }
        (self.peer.folder / "prometheus.yml").write_text(json.dumps(config))
        self.peer.started.process.send_signal(1)

    def report(self, number: int, value: float) -> None:
        """One report of a probe."""
        labels = label_bytes({"__name__": _PROBE, "instance": f"probe-{number}"})
        moment = np.array([int(time.time() * 1000)])
        content = body([labels], moment, np.array([[value]]))
        asked = urllib.request.Request(f"{self.peer.url}/api/v1/write", data=content, headers=HEADERS)
        with urllib.request.urlopen(asked, timeout=10):
            pass


def _rules() -> Iterator[tuple[str, str, float]]:
    """Name, metric and threshold; the first one is what probes reach."""
    yield "Probe", _PROBE, 1000.0
    for number in range(1, RULES):
        yield f"Rule {number}", _METRICS[number % len(_METRICS)], _FAR


def _measure(section: Section, system: Any, task: Writing, seconds: float) -> None:
    with writing(task, 3 * seconds + 240):
        time.sleep(REPORTS_EVERY)
        without = _cores(system, seconds)
        system.add_rules()
        time.sleep(2 * system.interval)
        cores = _cores(system, seconds)
        waits = _notice(system)
    section.add(
        system=system.title,
        cores_without_rules=without,
        cores_with_rules=cores,
        cores_of_rules=max(cores - without, 0.0),
        to_notice_p50_s=float(np.quantile(waits, 0.5)),
        to_notice_p95_s=float(np.quantile(waits, 0.95)),
    )


def _cores(system: Any, seconds: float) -> float:
    meter = CpuMeter(system.groups)
    time.sleep(seconds)
    return sum(meter.read().values()) / seconds


def _notice(system: Any) -> list[float]:
    """How long it took from each probe's report to its notice, in seconds; the probes report at any phase."""
    sent: dict[str, float] = {}
    for number in range(_PROBES):
        system.report(number, 2000.0)
        sent[f"probe-{number}"] = time.time()
        time.sleep(2 * system.interval / _PROBES)
    waits: dict[str, float] = {}
    deadline = time.time() + 60
    while len(waits) < _PROBES and time.time() < deadline:
        try:
            at, name, instance = system.receiver.told.get(timeout=1)
        except queue.Empty:
            continue
        if name == "Probe" and instance in sent:
            waits.setdefault(instance, at - sent[instance])
    if len(waits) < _PROBES:
        raise RuntimeError(f"{system.title} told of {len(waits)} probes of {_PROBES}")
    return list(waits.values())


def _storm(server: Server, receiver: Receiver, hosts: int, values: Any, keys: Sequence[str]) -> Section:
    """Rules that are true of each core and disk of the fleet, from when they are made to when that is told."""
    section = Section("Alerts: a storm at one instant")
    wanted = {"cpu_core_usage_percent": 8, "disk_partition_usage_percent": 4}
    due = hosts * sum(wanted.values())
    with server.client() as client, writing(Writing(server.port, "fleetkeeper", values, keys), 300):
        time.sleep(REPORTS_EVERY + 2)
        (root,) = _all(client, "/api/v1/alert-routes")
        route = {
            name: root[name]
            for name in ("name", "receiver_id", "group_wait_seconds", "group_interval_seconds")
        }
        client.put(
            f"/api/v1/alert-routes/{root['id']}", json=route | {"group_by": ["alertname"]}
        ).raise_for_status()
        while not receiver.told.empty():
            receiver.told.get()
        begin = time.time()
        for metric in wanted:
            condition = {"kind": "threshold", "metric": metric, "op": ">=", "threshold": 0}
            rule = {"name": f"Storm {metric}", "condition": condition, "interval_seconds": 5}
            client.post("/api/v1/alert-rules", json=rule).raise_for_status()
        logged = _wait(
            lambda: int(server.sql("SELECT count(*) FROM alert_logs WHERE name LIKE 'Storm%'")) >= due
        )
        names: set[str] = set()
        while len(names) < len(wanted):
            _, name, _ = receiver.told.get(timeout=120)
            names |= {name} if name.startswith("Storm") else set()
        told = time.time() - begin
        begin_list = time.perf_counter()
        client.get(
            "/api/v1/alerts", params={"resolved_at__isnull": "true", "limit": "100"}
        ).raise_for_status()
        listed = time.perf_counter() - begin_list
        worst = float(server.sql("SELECT max(duration_seconds) FROM alert_evaluations"))
    section.add(
        alerts=due,
        all_in_the_log_s=logged - begin,
        both_rules_told_s=told,
        longest_evaluation_s=worst,
        list_ms=listed * 1e3,
    )
    section.note("From when the rules are sent, which are due each 5 s.")
    return section


def _wait(is_there: Callable[[], bool], timeout_seconds: float = 180.0) -> float:
    deadline = time.time() + timeout_seconds
    while not is_there():
        if time.time() > deadline:
            raise RuntimeError("the alerts did not come")
        time.sleep(0.1)
    return time.time()


def _all(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(path, params={"limit": "1000"}).raise_for_status()
    return cast("list[dict[str, Any]]", answer.json()["results"])


def _switch(client: httpx.Client, rule: Mapping[str, Any], *, is_on: bool) -> None:
    own = {"id", "origin", "origin_key", "version", "created_at", "updated_at"}
    wanted = {name: value for name, value in rule.items() if name not in own}
    client.put(f"/api/v1/alert-rules/{rule['id']}", json={**wanted, "enabled": is_on}).raise_for_status()
