"""The inventory at full size: lists, the past, topology, a merge, and the search over everything."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np

from bench.inventory_data import COMPONENTS, INTERFACES, SITES, insert_inventory
from bench.options import Options
from bench.report import Section
from bench.server import Server

_TARGET_MS = 50.0
_UNCOUNTED = 3


def run(options: Options, folder: Path) -> list[Section]:
    """Measure on a server of its own."""
    server = Server(folder, web_processes=options.web_processes)
    try:
        begin = time.perf_counter()
        insert_inventory(server, options.devices)
        taken = time.perf_counter() - begin
        found = [searches(server, options), reading(server, options), merging(server, options)]
        found[0].note(f"The data was made in {taken:.0f} s")
        return found
    finally:
        server.stop()


def _timed(ask: Callable[[int], httpx.Response], rounds: int) -> tuple[list[float], httpx.Response]:
    """Milliseconds of each answer, but for the first few, and the last answer."""
    taken = []
    for number in range(rounds + _UNCOUNTED):
        begin = time.perf_counter()
        answer = ask(number)
        answer.raise_for_status()
        if number >= _UNCOUNTED:
            taken.append((time.perf_counter() - begin) * 1e3)
    return taken, answer


def _row(taken: list[float], answer: httpx.Response) -> dict[str, float | int]:
    told = answer.json()
    rows = told.get("results", told.get("nodes", told))
    return {
        "p50_ms": float(np.quantile(taken, 0.5)),
        "p95_ms": float(np.quantile(taken, 0.95)),
        "results": len(rows),
        "target_p95_ms": _TARGET_MS,
    }


def _rounds(options: Options) -> int:
    return max(10, min(100, int(options.seconds * 3)))


def searches(server: Server, options: Options) -> Section:
    """Ask for everything that has a text in it, by texts that are rare, common, and nowhere."""
    devices = options.devices
    section = Section(
        f"Search: {devices:,} devices with {COMPONENTS} components and {INTERFACES} interfaces each"
    )
    some = server.sql(
        "SELECT string_agg(serial_number, ',') FROM (SELECT serial_number FROM hardware_components LIMIT 200) s"
    ).split(",")
    asked: dict[str, Callable[[int], str]] = {
        "a component's serial number": lambda n: some[n % len(some)],
        "the middle of a serial number": lambda n: some[n % len(some)][3:9],
        "an IP address": lambda n: f"10.0.{n % max(1, min(256, devices // 256))}.{n % 200}",
        "a MAC address": lambda n: f"02{n * 7 % devices * 4:010x}",
        "a device's name": lambda n: f"vm-{n * 10 % devices + 2:06}",
        "how many names begin": lambda n: f"vm-000{n % 3}",
        "a part of many names": lambda n: f"0{n % 10}2",
        "a manufacturer": lambda n: ("samsung", "nvidia", "cisco", "delta")[n % 4],
        "two common words": lambda n: ("intel xeon", "no shutdown", "power supply")[n % 3],
        "a ticket in a note": lambda n: f"inc{n * 4 % devices:07}",
        "one letter": lambda n: "vsn"[n % 3],
        "what is nowhere": lambda n: f"zzqx{n}",
    }
    with server.client() as client:
        for what, text in asked.items():
            taken, answer = _timed(
                lambda n, text=text: client.get("/api/v1/search", params={"q": text(n)}), _rounds(options)
            )
            section.add(search=what, **_row(taken, answer), unfinished=", ".join(answer.json()["unfinished"]))
    return section


def reading(server: Server, options: Options) -> Section:
    """Ask for lists, for the past, and for how devices hang together."""
    section = Section(f"Inventory: {options.devices:,} devices at {SITES} sites")
    then = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    site = server.sql("SELECT id FROM locations WHERE name = 'Site 000'")
    device = server.sql("SELECT id FROM devices WHERE name = 'server-000001'")
    switch = server.sql("SELECT id FROM devices WHERE name = 'network_device-000000'")
    asked: dict[str, tuple[str, dict[str, str]]] = {
        "100 devices by name": ("devices", {"limit": "100"}),
        "100 of a site": ("devices", {"limit": "100", "location_id": site, "lifecycle": "active"}),
        "100 of a type and a maker": (
            "devices",
            {"limit": "100", "device_type": "vm", "manufacturer": "HPE"},
        ),
        "components of a device": ("hardware-components", {"device_id": device}),
        "one device, a month ago": (f"devices/{device}", {"as_of": then}),
        "100 devices, a month ago": ("devices", {"limit": "100", "as_of": then}),
        "around a switch, 3 steps": (f"devices/{switch}/topology", {"depth": "3"}),
    }
    with server.client() as client:
        for what, (path, parameters) in asked.items():
            taken, answer = _timed(
                lambda _, path=path, parameters=parameters: client.get(f"/api/v1/{path}", params=parameters),
                _rounds(options),
            )
            section.add(request=what, **_row(taken, answer))
    return section


def merging(server: Server, options: Options) -> Section:
    """Merge devices, two at a time."""
    section = Section(f"Merge of two devices with {COMPONENTS} components each")
    ids = server.sql(
        "SELECT string_agg(id::text, ',' ORDER BY name) FROM "
        "(SELECT id, name FROM devices WHERE device_type = 'storage' ORDER BY name LIMIT 26) s"
    ).split(",")
    pairs = list(zip(ids[::2], ids[1::2], strict=False))
    reason = {"X-Change-Reason": "Benchmark"}
    with server.client() as client:
        taken, _ = _timed(
            lambda n: client.post(
                f"/api/v1/devices/{pairs[n][0]}/merges", json={"other_device_id": pairs[n][1]}, headers=reason
            ),
            min(_rounds(options), len(pairs) - _UNCOUNTED),
        )
    section.add(
        act="merge",
        p50_ms=float(np.quantile(taken, 0.5)),
        p95_ms=float(np.quantile(taken, 0.95)),
        times=len(taken),
    )
    return section
