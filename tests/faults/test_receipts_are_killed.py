"""A delivery of several lines is booked wholly or not at all, whenever the web process dies."""

import contextlib
import threading
from typing import Any

import httpx
import psycopg

from tests.faults.test_ingest_survives import kill, parts, wait_for_parts
from tests.fixtures.product import Product, wait_for

REASON = {"X-Change-Reason": "Try it"}
LINES = 5


def test_the_web_processes_are_killed_in_the_middle_of_a_receipt(product: Product) -> None:
    token = product.api_token()
    wait_for_parts(product)
    with product.client(token) as client:
        order, body, names = ordered(client)

    def receive() -> None:
        with product.client(token) as client, contextlib.suppress(httpx.HTTPError):
            client.post(f"/api/v1/orders/{order}/receipts", json=body)

    with psycopg.connect(product.database_url) as connection:
        # The first lines are booked by then, and the last one waits.
        connection.execute("SELECT FROM parts WHERE part_code = %s FOR UPDATE", (names[-1],))
        thread = threading.Thread(target=receive)
        thread.start()
        wait_for("the receipt to be at its last line", lambda: is_waiting(product))
        for process in parts(product, "serve"):
            kill(process.pid)
        thread.join()
    wait_for_parts(product)
    wait_for("readiness", product.is_ready)
    wait_for("the receipt's transaction to end", lambda: not is_waiting(product))
    with psycopg.connect(product.database_url) as connection:
        assert counts(connection, order) == (0, 0, "ordered")
    with product.client(token) as client:
        answer = client.post(f"/api/v1/orders/{order}/receipts", json=body)
        assert answer.status_code == 200, answer.text
    with psycopg.connect(product.database_url) as connection:
        assert counts(connection, order) == (LINES, LINES, "received")


def ordered(client: httpx.Client) -> tuple[str, dict[str, Any], list[str]]:
    """An order of five parts that is under way, its delivery, and the parts' codes."""

    def post(path: str, **body: Any) -> dict[str, Any]:
        answer = client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    depot = post("locations", name="Killed depot", location_type="depot")["id"]
    supplier = post("suppliers", name="Killed supplier")["id"]
    order = post("orders", supplier_id=supplier, deliver_to_id=depot)["id"]
    names = [f"KILLED-{number}" for number in range(LINES)]
    items = []
    for name in names:
        part = post("parts", part_code=name, name=name)["id"]
        line = {"part_id": part, "quantity_ordered": "1", "unit_price": "5"}
        items.append(post(f"orders/{order}/items", **line)["id"])
    for state in ("pending-approval", "ordered"):
        answer = client.post(f"/api/v1/orders/{order}/status/{state}", headers=REASON)
        assert answer.status_code == 200, answer.text
    return order, {"lines": [{"item_id": item, "quantity": "1"} for item in items]}, names


def counts(connection: psycopg.Connection, order: str) -> tuple[int, int, str]:
    """Pieces that the order's lines received, pieces that were booked, and the order's status."""
    row = connection.execute(
        """
        SELECT (SELECT sum(quantity_received)::int FROM order_items WHERE order_id = o.id),
            (SELECT coalesce(sum(m.quantity), 0)::int FROM stock_movements m JOIN parts p ON p.id = m.part_id
             WHERE p.part_code LIKE 'KILLED-%%'), o.status
        FROM orders o WHERE o.id = %s
        """,
        (order,),
    ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def is_waiting(product: Product) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename LIKE 'fleetkeeper_app%'"
    with psycopg.connect(product.database_url) as connection:
        return connection.execute(query).fetchone() != (0,)
