"""A file is attached wholly or not at all, whenever the web process dies."""

import contextlib
import threading

import httpx
import psycopg

from tests.faults.test_ingest_survives import kill, parts, wait_for_parts
from tests.fixtures.product import Product, wait_for

SIZE = 2 * 1024 * 1024
OCTETS = {"Content-Type": "application/octet-stream"}


def test_the_web_processes_are_killed_while_a_file_is_stored(product: Product) -> None:
    ((device, _),) = product.enroll("upload-01")
    token, asked = product.api_token(), {"object": f"devices:{device}", "name": "plan.bin"}

    def upload() -> None:
        with product.client(token) as client, contextlib.suppress(httpx.HTTPError):
            client.post("/api/v1/attachments", params=asked, content=b"x" * SIZE, headers=OCTETS)

    wait_for_parts(product)
    with psycopg.connect(product.database_url) as connection:
        # The file's row is there by then, and none of its content.
        connection.execute("LOCK TABLE attachment_parts IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=upload)
        thread.start()
        wait_for("the upload to be at its content", lambda: is_waiting(product))
        for process in parts(product, "serve"):
            kill(process.pid)
        thread.join()
    wait_for_parts(product)
    wait_for("readiness", product.is_ready)
    wait_for("the upload's transaction to end", lambda: not is_waiting(product))
    with psycopg.connect(product.database_url) as connection:
        for table in ("attachments", "attachment_parts"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    with product.client(token) as client:
        answer = client.post("/api/v1/attachments", params=asked, content=b"x" * SIZE, headers=OCTETS)
        assert answer.status_code == 201, answer.text
        assert client.delete(f"/api/v1/attachments/{answer.json()['id']}").status_code == 204


def is_waiting(product: Product) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%attachment_parts%'"
    with psycopg.connect(product.database_url) as connection:
        return connection.execute(query).fetchone() != (0,)
