"""Workers killed with -9 again and again: no alert is lost, none is there twice, and each is told once.

`ALERT_FAULT_SECONDS` says how long; the suite takes a short while.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import psycopg

from tests.fixtures.product import Product, wait_for

SECONDS = float(os.environ.get("ALERT_FAULT_SECONDS", "40"))
RULES = 12
# True for 15 seconds of each 30; looked at every 5.
HALF = 15


class Workers:
    """Some workers beside the product's own."""

    def __init__(self, product: Product, count: int) -> None:
        self._product = product
        self._running = [self._start() for _ in range(count)]
        self.killed = 0

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "fleetkeeper", "worker"]
        return subprocess.Popen(
            command,
            env=self._product.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill_one(self, chance: random.Random) -> None:
        """Kill one and start another in its place."""
        place = chance.randrange(len(self._running))
        self._end(self._running[place])
        self._running[place] = self._start()
        self.killed += 1

    def stop(self) -> None:
        """End all."""
        for one in self._running:
            self._end(one)

    @staticmethod
    def _end(one: "subprocess.Popen[bytes]") -> None:
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()


def test_no_alert_is_lost_or_told_twice(make_product: Callable[..., Product]):
    product = make_product()
    product.start()
    with product.client(product.api_token()) as client:
        (root,) = client.get("/api/v1/alert-routes").json()["results"]
        fast = {
            "name": root["name"],
            "receiver_id": root["receiver_id"],
            "group_by": ["alertname"],
            "group_wait_seconds": 0,
            "group_interval_seconds": 1,
        }
        assert client.put(f"/api/v1/alert-routes/{root['id']}", json=fast).status_code == 200
        for number in range(RULES):
            wanted = {
                "name": f"R{number}",
                "condition": {
                    "kind": "promql",
                    "expr": f"floor(vector((time() + {number}) / {HALF})) % 2 == 1",
                },
                "interval_seconds": 5,
                "detects_flapping": False,
            }
            assert client.post("/api/v1/alert-rules", json=wanted).status_code == 201
    chance = random.Random(7)
    workers = Workers(product, 2)
    try:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for _ in range(4):
                wait_for_a_change(product)
            workers.kill_one(chance)
    finally:
        workers.stop()
    assert workers.killed > 3
    with psycopg.connect(product.database_url, autocommit=True) as connection:
        end_rules(product)
        # Whoever is left goes on, and tells of all that is over.
        wait_for(
            "the end of all to be told", lambda: all(one[-1] == "resolved" for one in told_of(connection))
        )
        alerts = connection.execute(
            "SELECT name, triggered_at, resolved_at FROM alert_logs WHERE name LIKE 'R%' ORDER BY name, triggered_at"
        ).fetchall()
        told = told_of(connection)
    by_rule: dict[str, list[tuple[object, object]]] = {}
    for name, triggered, resolved in alerts:
        by_rule.setdefault(name, []).append((triggered, resolved))
    assert len(by_rule) == RULES
    for name, own in by_rule.items():
        for (began_at, ended_at), (next_at, _) in pairwise(own):
            assert began_at < ended_at <= next_at, name
            # None of the times that it was true is missing.
            assert (next_at - began_at).total_seconds() < 3 * HALF, (name, began_at, next_at)
    # Nobody heard of a beginning or an end twice in a row.
    for one in told:
        assert one == ["firing", "resolved"] * (len(one) // 2)
    print(f"{workers.killed} workers killed, {len(alerts)} alerts, {sum(map(len, told))} told")


def end_rules(product: Product) -> None:
    """Disable the rules, so that nothing fires any more."""
    with product.client(product.api_token()) as client:
        for rule in client.get("/api/v1/alert-rules?limit=100").json()["results"]:
            if rule["origin"] == "person":
                known = ("name", "condition", "interval_seconds", "detects_flapping")
                wanted = {name: rule[name] for name in known} | {"enabled": False}
                assert client.put(f"/api/v1/alert-rules/{rule['id']}", json=wanted).status_code == 200


def told_of(connection: psycopg.Connection) -> list[list[str]]:
    """What was told of each rule, in order; rules that were never told are left out."""
    rows = connection.execute(
        "SELECT array_agg(a ->> 'status' ORDER BY e.id) FROM notification_events e, "
        "jsonb_array_elements(payload -> 'alerts') a WHERE e.name = 'alerts.told' "
        "AND a -> 'labels' ->> 'alertname' LIKE 'R%' GROUP BY a -> 'labels' ->> 'alertname'"
    )
    return [row[0] for row in rows]


def wait_for_a_change(product: Product) -> None:
    """Until something was evaluated: so that a kill comes at any moment of the work, and workers get to work at all."""
    with psycopg.connect(product.database_url) as connection:

        def newest() -> object:
            row = connection.execute("SELECT max(evaluated_at) FROM alert_evaluations").fetchone()
            connection.commit()
            return row[0]

        before = newest()
        wait_for("an evaluation", lambda: newest() != before)
