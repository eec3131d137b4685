"""Alerts: lists of a long log by the API, and rules over a fleet that reports."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bench import alert_engine
from bench.options import Options
from bench.report import Section
from bench.server import Server

_WEEKS = 8
_OPEN = 400
_RULES = 50
_DEVICES = 1000
_TARGET_MS = 50.0


def run(options: Options, folder: Path) -> list[Section]:
    """Measure the lists, then the rules, each on a server of its own."""
    found = []
    if options.wants("lists"):
        with served(folder / "lists", options) as server:
            found.append(lists(server, options))
    if options.wants("rules"):
        with served(folder / "rules", options) as server:
            found += alert_engine.run(server, options, folder)
    return found


@contextmanager
def served(folder: Path, options: Options) -> Iterator[Server]:
    """A server that may call receivers on loopback."""
    reach = {"FLEETKEEPER_OUTGOING__ALLOWED_NETWORKS": '["127.0.0.0/8"]'}
    server = Server(folder, web_processes=options.web_processes, settings=reach)
    try:
        yield server
    finally:
        server.stop()


def insert_alerts(server: Server, count: int) -> None:
    """Insert alerts of eight weeks through SQL; the newest are open."""
    server.sql(f"""
        INSERT INTO devices (id, name, hostname, device_type, status)
        SELECT gen_random_uuid(), name, name, 'server', 'online'
        FROM (SELECT 'host-' || lpad(n::text, 4, '0') AS name FROM generate_series(0, {_DEVICES - 1}) AS n) AS made;
        INSERT INTO alert_rules (id, unit, name, kind, condition, severity, enabled)
        SELECT gen_random_uuid(), gen_random_uuid(), 'Bench ' || n, 'promql',
               '{{"kind": "promql", "expr": "vector(0) > 1"}}', 'warning', true
        FROM generate_series(0, {_RULES - 1}) AS n;
        SELECT create_alert_partition(CURRENT_DATE - 7 * week) FROM generate_series(0, {_WEEKS}) AS week;
        INSERT INTO alert_logs (rule_id, system_id, device_name, triggered_at, resolved_at, status, metric_name,
                                actual_value, threshold_value, name, severity, labels, fingerprint, needs_routing)
        SELECT r.id, d.id, d.name, m.at, CASE WHEN m.n > {_OPEN} THEN least(m.at + interval '20 minutes', now()) END,
               CASE WHEN m.n > {_OPEN} THEN 'resolved' ELSE 'firing' END, 'cpu_usage_percent', 95, 90, r.name,
               (ARRAY['info', 'warning', 'high', 'critical'])[1 + abs(hashint4(m.n)) % 4],
               jsonb_build_object('alertname', r.name, 'instance', d.name), decode(md5(m.n::text), 'hex'), false
        FROM (SELECT n, now() - n * (interval '{_WEEKS} weeks' / {count}) AS at,
                     abs(hashint4(n + 1)) % {_RULES} AS rule,
                     abs(hashint4(n + 2)) % {_DEVICES} AS device FROM generate_series(1, {count}) AS n) AS m
        JOIN (SELECT id, name, row_number() OVER (ORDER BY id) - 1 AS place FROM alert_rules
              WHERE name LIKE 'Bench %') r
             ON r.place = m.rule
        JOIN (SELECT id, name, row_number() OVER (ORDER BY id) - 1 AS place FROM devices WHERE name LIKE 'host-%') d
             ON d.place = m.device;
        ANALYZE alert_logs; ANALYZE devices; ANALYZE alert_rules;
    """)


def _asked(server: Server) -> Mapping[str, Mapping[str, str]]:
    rule = server.sql("SELECT id FROM alert_rules WHERE name = 'Bench 7'")
    device = server.sql("SELECT id FROM devices WHERE name = 'host-0042'")
    end = datetime.now(UTC) - timedelta(weeks=3)
    week = {
        "triggered_at__gte": (end - timedelta(weeks=1)).isoformat(),
        "triggered_at__lt": end.isoformat(),
    }
    return {
        "all, newest first": {},
        "open": {"resolved_at__isnull": "true"},
        "critical and firing": {"severity": "critical", "status": "firing"},
        "critical and resolved": {"severity": "critical", "status": "resolved"},
        "one rule": {"rule_id": rule},
        "one device": {"system_id": device},
        "part of a name": {"q": "host-0421"},
        "one week": week,
    }


def lists(server: Server, options: Options) -> Section:
    """Ask for the first page of each list."""
    section = Section(f"Alerts: 100 of {options.alerts:,} in {_WEEKS} weeks")
    insert_alerts(server, options.alerts)
    rounds = max(10, min(100, int(options.seconds * 3)))
    with server.client() as client:
        for what, filters in _asked(server).items():
            taken = []
            for number in range(rounds + 2):
                begin = time.perf_counter()
                answer = client.get("/api/v1/alerts", params={**filters, "limit": "100"})
                answer.raise_for_status()
                if number >= 2:
                    taken.append((time.perf_counter() - begin) * 1e3)
            section.add(
                list=what,
                p50_ms=float(np.quantile(taken, 0.5)),
                p95_ms=float(np.quantile(taken, 0.95)),
                count=answer.json()["count"],
                target_p95_ms=_TARGET_MS,
            )
    return section
