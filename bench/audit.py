"""What the audit log costs: bulk changes of devices with its triggers and without them, in turns."""

import json
import random
import statistics
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import psutil
import psycopg

from bench.options import Options
from bench.report import Section
from fleetkeeper.database.context import WHOLE_FLEET_ROLE
from fleetkeeper.database.embedded import EmbeddedServer
from fleetkeeper.database.migrate import migrate

ROWS = 10_000
ROUNDS = 9
TARGET_RATIO = 1.3
_CONTEXT = json.dumps(
    {
        "kind": "user",
        "name": "maria.example",
        "user": "0198c0de-0000-7000-8000-000000000001",
        "session": "0198c0de-0000-7000-8000-000000000002",
        "address": "192.0.2.17",
        "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "request": "0f3c2e6a5b3d4a0c9a5b6c7d8e9f0a1b",
        "reason": "Moved to the new hall",
    }
)
_INSERT = """
    INSERT INTO devices (id, name, hostname, device_type, status, location, fqdn, domain, os_name, os_version, kernel,
        architecture, manufacturer, model, serial_number, cpu_model, cpu_cores, cpu_threads, memory_total_bytes,
        interfaces, boot_time, capabilities, metadata, first_seen, last_seen)
    SELECT uuidv7(), %(prefix)s || i, %(prefix)s || i, 'server', 'online', 'Hall ' || i %% 40,
        %(prefix)s || i || '.example.org',
        'example.org', 'Debian GNU/Linux', '13', '6.12.48-amd64', 'x86_64', 'Example', 'Model ' || i %% 12,
        'SN' || md5(i::text), 'Example CPU at 3.1 GHz', 16, 32, 137438953472,
        jsonb_build_array(jsonb_build_object('name', 'eth0', 'mac_address', '02:00:5e:10:00:01', 'is_up', true,
                          'ip_addresses', jsonb_build_array('192.0.2.' || i %% 250), 'speed_mbps', 10000)),
        now(), '{"sessions": true, "processes": true}', '{"agent": {"machine_id": "0123456789abcdef"}}', now(), now()
    FROM generate_series(1, %(rows)s) AS i
"""
# What is measured with and without triggers right after each other; those of one group need each other.
GROUPS = (
    ("UPDATE location",),
    ("UPDATE lifecycle",),
    ("UPDATE location, lifecycle",),
    ("UPDATE last_seen (not audited)",),
    ("INSERT", "DELETE"),
)
STATEMENTS = {
    "UPDATE location": "UPDATE devices SET location = %(text)s, version = version + 1, updated_at = now()",
    "UPDATE lifecycle": "UPDATE devices SET lifecycle = %(state)s, version = version + 1, updated_at = now()",
    "UPDATE location, lifecycle": "UPDATE devices SET location = %(text)s || '!', "
    "lifecycle = %(state)s, version = version + 1, updated_at = now()",
    "UPDATE last_seen (not audited)": "UPDATE devices SET last_seen = now()",
    "INSERT": _INSERT,
    "DELETE": "DELETE FROM devices WHERE name LIKE 'bulk-%%'",
}


def run(_: Options, folder: Path) -> list[Section]:
    """Measure on a server of its own, with the settings that the product gives it."""
    server = EmbeddedServer(folder / "home")
    (folder / "home").mkdir()
    server.start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        migrate(server.url("bench"))
        with psycopg.connect(server.url("bench"), autocommit=True) as connection:
            return [measure(connection)]
    finally:
        server.stop()


def measure(connection: psycopg.Connection, rounds: int = ROUNDS) -> Section:
    """Run each statement with and without triggers, one after the other in random order; medians and their ratio."""
    _triggers(connection, on=False)
    connection.execute(_INSERT, {"prefix": "host-", "rows": ROWS})
    _triggers(connection, on=True)
    times: dict[tuple[str, bool], list[tuple[float, float]]] = {
        (name, on): [] for name in STATEMENTS for on in (False, True)
    }
    states = cycle(("inactive", "active"))
    for number in range(rounds + 1):
        for group in GROUPS:
            for on in random.sample((False, True), 2):
                _triggers(connection, on=on)
                for name in group:
                    connection.execute("VACUUM devices")
                    spent = _timed(connection, name, f"Hall {number} {on}", next(states))
                    if number:  # the first round warms up
                        times[name, on].append(spent)
    _triggers(connection, on=True)
    section = Section(f"Audit: {ROWS:,} devices in one statement, median of {rounds}")
    for name in STATEMENTS:
        (without, busy_without), (with_audit, busy_with) = (
            [statistics.median(column) for column in zip(*times[name, on], strict=True)]
            for on in (False, True)
        )
        section.add(
            statement=name,
            ms_without=without * 1000,
            ms_with=with_audit * 1000,
            ratio=with_audit / without,
            cpu_ratio=busy_with / busy_without,
            us_per_row=(with_audit - without) / ROWS * 1e6,
        )
    section.note(
        f"The target for updates is {TARGET_RATIO} at most. Each time has its commit in it, with fsync on."
    )
    return section


def _triggers(connection: psycopg.Connection, *, on: bool) -> None:
    for kind in ("insert", "update", "delete"):
        connection.execute(f"ALTER TABLE devices {'ENABLE' if on else 'DISABLE'} TRIGGER audit_{kind}")


def _timed(connection: psycopg.Connection, name: str, text: str, state: str) -> tuple[float, float]:
    """Seconds of one statement in its transaction, as the application would send it: elapsed, and the server's CPU."""
    backend = psutil.Process(connection.info.backend_pid)
    values = {"text": text, "state": state, "prefix": "bulk-", "rows": ROWS}
    clock: Callable[[], float] = time.perf_counter
    with connection.transaction():
        connection.execute(
            "SELECT set_config('role', %s, true), set_config('fleetkeeper.audit', %s, true)",
            [WHOLE_FLEET_ROLE, _CONTEXT],
        )
        busy = sum(backend.cpu_times()[:2])
        begin = clock()
        done = connection.execute(STATEMENTS[name], values)
        if done.rowcount < ROWS:
            raise RuntimeError(f"{name} changed {done.rowcount} rows")
        connection.execute("RESET ROLE")
    return clock() - begin, sum(backend.cpu_times()[:2]) - busy
