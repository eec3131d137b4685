"""Server time of what pages ask for: a device's charts over a day, and a page of a long device list."""

import itertools
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import numpy as np

from bench.options import Options
from bench.report import Section
from bench.server import Server
from fleetkeeper.simulation.catalog import KINDS
from fleetkeeper.simulation.encoding import FrameEncoder, batch_body
from fleetkeeper.simulation.fleet import Fleet
from fleetkeeper.simulation.kinds import KindName

_DAY = 86_400.0
_INTERVAL = 5.0
_FRAMES_PER_REQUEST = 500
CHARTS = (
    "cpu_usage_percent",
    "cpu_core_usage_percent",
    "load_average_1m",
    "memory_usage_percent",
    "memory_available_bytes",
    "swap_usage_percent",
    "disk_partition_usage_percent",
    "disk_device_busy_percent",
    "disk_write_bytes_total",
    "network_receive_bytes_total",
    "network_transmit_bytes_total",
    "vmstat_pgfault_per_second",
)
_TYPES = ("server", "vm", "workstation", "network_device", "storage", "container")
_STATUSES = ("online", "online", "online", "offline")
_SYSTEMS = ("Debian GNU/Linux", "Ubuntu", "Red Hat Enterprise Linux", "Windows Server 2025", "Windows 11")
_LISTS = {
    "by name": {"ordering": "name"},
    "online, by name": {"status": "online", "ordering": "name"},
    "one type, newest seen first": {"device_type": "vm", "ordering": "-last_seen"},
    "part of the name": {"q": "0421"},
    "two filters, by last seen": {"device_type": "server", "os_name": "Ubuntu", "ordering": "last_seen"},
}
_PAGE = 100
_TARGET_CHARTS_MS = 150.0
_DEEP_PAGE = 22
_TARGET_LIST_MS = 50.0


def _send_day(server: Server, section: Section) -> str:
    """Send a day of frames of one device; returns its id."""
    ((device_id, key),) = server.enrol(["bench-page"])
    web = next(kind for kind in KINDS if kind.name is KindName.WEB)
    model = Fleet(1, 1, (web,)).models[0]
    end = np.floor(time.time() / _INTERVAL) * _INTERVAL
    times = end - _DAY + _INTERVAL * np.arange(int(_DAY / _INTERVAL))
    frames = FrameEncoder(web.channels).frames(
        times, model.measure(np.zeros(len(times), np.int64), times).values[: len(times)]
    )
    begin = time.perf_counter()
    with httpx.Client(
        base_url=server.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False
    ) as client:
        for at in range(0, len(frames), _FRAMES_PER_REQUEST):
            body = batch_body(frames[at : at + _FRAMES_PER_REQUEST], str(uuid.uuid4()))
            answer = client.post("/api/v1/telemetry", content=body, timeout=60.0)
            answer.raise_for_status()
    section.note(
        f"{len(frames):,} frames of {len(web.channels)} channels sent in {time.perf_counter() - begin:.1f} s"
    )
    return device_id


def _time(call: Callable[[], httpx.Response], repetitions: int) -> tuple[list[float], httpx.Response]:
    """Return each call's duration in milliseconds, after two that do not count, and the last answer."""
    for _ in range(2):
        call().raise_for_status()
    durations = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        answer = call()
        durations.append((time.perf_counter() - begin) * 1e3)
        answer.raise_for_status()
    return durations, answer


def _repetitions(options: Options) -> int:
    return max(10, min(200, int(options.seconds * 5)))


def charts(server: Server, options: Options) -> Section:
    """Measure twelve range queries one after the other, as the page's charts ask, and all in one request."""
    section = Section("Device page: 24 h of 5 s data of one device, 12 charts of about 600 points")
    device = _send_day(server, section)
    end = time.time()
    shifts = itertools.count()
    with server.client() as client:

        def ask(metrics: tuple[str, ...], aggregate: str) -> httpx.Response:
            until = end - next(shifts) % 600  # another window each time, so that no cache answers
            window = {"from": f"{until - _DAY:.0f}", "to": f"{until:.0f}", "points": "600"}
            parameters = {**window, "device": device, "metric": list(metrics), "agg": aggregate}
            return client.get("/api/v1/telemetry/range", params=parameters)

        totals: list[list[float]] = []
        for metric in CHARTS:
            aggregate = "rate" if metric.endswith("_total") else "avg"
            durations, answer = _time(
                lambda metric=metric, aggregate=aggregate: ask((metric,), aggregate), _repetitions(options)
            )
            series = msgspec.json.decode(answer.content)["series"]
            points = sum(len(one["points"]) for one in series)
            totals.append(durations)
            _add(section, metric, durations, series=len(series), points=points)
        _add(
            section,
            "12 charts, 12 requests",
            np.sum(totals, axis=0).tolist(),
            target_p95_ms=_TARGET_CHARTS_MS,
        )
        together, answer = _time(lambda: ask(CHARTS, "avg"), _repetitions(options))
        series = msgspec.json.decode(answer.content)["series"]
        _add(section, "12 charts, 1 request", together, series=len(series), target_p95_ms=_TARGET_CHARTS_MS)
    return section


def _add(section: Section, what: str, durations: list[float], **cells: float) -> None:
    section.add(
        request=what,
        p50_ms=float(np.quantile(durations, 0.5)),
        p95_ms=float(np.quantile(durations, 0.95)),
        **cells,
    )


def insert_devices(server: Server, count: int) -> None:
    """Insert devices through SQL: names in no order, statuses, types and systems in uneven shares."""

    def pick(options: tuple[str, ...], salt: int) -> str:
        listed = ", ".join(f"'{option}'" for option in options)
        return f"(ARRAY[{listed}])[1 + abs(hashint4(n + {salt})) % {len(options)}]"

    server.sql(f"""
        INSERT INTO devices (id, name, hostname, device_type, status, os_name, first_seen, last_seen)
        SELECT gen_random_uuid(), name, name, {pick(_TYPES, 1)}, {pick(_STATUSES, 2)}, {pick(_SYSTEMS, 3)},
               now() - interval '90 days', now() - abs(hashint4(n + 4)) % 86400 * interval '1 s'
        FROM (SELECT n, 'host-' || lpad((n * 7919 % {count})::text, 6, '0') AS name
              FROM generate_series(1, {count}) AS n) AS made;
        ANALYZE devices;
    """)


def lists(server: Server, options: Options) -> Section:
    """Measure pages of the device list, first and deep."""
    section = Section(f"Device list: {_PAGE} of {options.devices:,} devices")
    insert_devices(server, options.devices)
    with server.client() as client:
        for what, filters in _LISTS.items():
            parameters = {**filters, "limit": str(_PAGE)}
            durations, answer = _time(
                lambda parameters=parameters: client.get("/api/v1/devices", params=parameters),
                _repetitions(options),
            )
            content = answer.json()
            _add(section, what, durations, count=content["count"], target_p95_ms=_TARGET_LIST_MS)
            if content["next"] and what == "by name":
                page = 1
                while content["next"] and page < _DEEP_PAGE:
                    address = answer.url.join(content["next"])
                    answer = client.get(address)
                    answer.raise_for_status()
                    content, page = answer.json(), page + 1
                durations, _ = _time(lambda address=address: client.get(address), _repetitions(options))
                _add(
                    section,
                    f"by name, page {page}",
                    durations,
                    count=content["count"],
                    target_p95_ms=_TARGET_LIST_MS,
                )
    return section


def run(options: Options, folder: Path) -> list[Section]:
    """Measure both kinds of pages on a server of our own."""
    server = Server(folder / "pages", web_processes=options.web_processes)
    try:
        return [charts(server, options), lists(server, options)]
    finally:
        server.stop()
