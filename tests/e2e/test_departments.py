"""A manager of one department and a viewer of another, side by side: in two browsers, and with plain SQL."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from playwright.async_api import Browser, expect

from tests.e2e.browsers import NEEDS_BROWSER, SIZES, Visitor
from tests.fixtures.product import PASSWORD, Product

# The catalog's own tables have nothing of anybody.
READABLE = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND has_table_privilege(c.oid, 'SELECT')
"""
# What the answer to a request of a page is, or to a stream, which never ends by itself.
STATUS = """
async path => {
  const ending = new AbortController();
  const answer = await fetch(path, { signal: ending.signal });
  ending.abort();
  return answer.status;
}
"""


@dataclass(frozen=True)
class Side:
    """A department with one device, and somebody who works there."""

    department: str
    department_id: str
    username: str
    device: str
    device_id: str


def make_side(product: Product, admin: httpx.Client, name: str, **user: str) -> Side:
    """A department, its device with a reading and a report, and a user."""

    def post(path: str, **body: Any) -> dict[str, Any]:
        answer = admin.post(f"/api/v1{path}", json=body)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made

    mark = uuid4().hex[:8]
    department = post("/departments", name=f"{name} {mark}")
    below = post("/departments", name="Hall", parent_id=department["id"])
    token = post("/enrollment-tokens", name=name, department_id=below["id"])["token"]
    device = f"{name.lower()}-{mark}"
    with product.client() as machine:
        body = {"token": token, "hostname": device, "identities": {"machine_id": device}}
        enrolled = machine.post("/api/v1/enroll", json=body).raise_for_status().json()
    with product.client(enrolled["device_key"]) as machine:
        frame = {"ts": time.time(), "values": {"cpu_usage_percent": 40.0}}
        machine.post("/api/v1/telemetry", json={"frames": [frame]}).raise_for_status()
    username = f"{user.pop('username')}-{mark}"
    made = post("/users", username=username, password=PASSWORD, **user, department_id=department["id"])
    if "role" not in user:
        answer = admin.patch(f"/api/v1/departments/{department['id']}", json={"manager_id": made["id"]})
        assert answer.is_success, answer.text
    return Side(department["name"], department["id"], username, device, enrolled["device_id"])


@pytest.fixture
def sides(product: Product) -> tuple[Side, Side]:
    """North, which Nora manages, and South, where Sven looks at things."""
    with product.client(product.api_token()) as admin:
        return (
            make_side(product, admin, "North", username="nora"),
            make_side(product, admin, "South", username="sven", role="viewer"),
        )


@pytest.fixture
def read_sql(product: Product, sides: tuple[Side, Side]) -> Iterator[Callable[[Side], psycopg.Connection]]:
    """Connections with logins as Grafana has them, each of one department."""
    opened: list[tuple[str, psycopg.Connection]] = []

    def connect(side: Side) -> psycopg.Connection:
        login = side.device.replace("-", "_")
        outcome = product.command("db", "grant", login, "--department", side.department, "--json")
        assert outcome.returncode == 0, outcome.stderr
        opened.append((login, psycopg.connect(json.loads(outcome.stdout)["url"], autocommit=True)))
        return opened[-1][1]

    yield connect
    for login, connection in opened:
        connection.close()
        assert product.command("db", "revoke", login).returncode == 0


@pytest.fixture
async def visitors(
    product: Product, sides: tuple[Side, Side], chromium: Browser
) -> AsyncIterator[tuple[Visitor, Visitor]]:
    """Nora on a large screen, Sven on a telephone."""
    found = []
    for side, size in zip(sides, ("desktop", "phone"), strict=True):
        context = await chromium.new_context(viewport=SIZES[size])
        visitor = Visitor(await context.new_page(), product.url)
        await visitor.sign_in(side.username, PASSWORD)
        found.append(visitor)
    yield found[0], found[1]
    for visitor in found:
        await visitor.context.close()


@pytest.mark.skipif(NEEDS_BROWSER[0].args[0], reason=NEEDS_BROWSER[0].kwargs["reason"])
@pytest.mark.skipif(NEEDS_BROWSER[1].args[0], reason=NEEDS_BROWSER[1].kwargs["reason"])
async def test_neither_sees_the_others_devices_in_the_console(sides, visitors):
    for own, other, visitor in zip(sides, reversed(sides), visitors, strict=True):
        page = visitor.page
        await visitor.open("/devices")
        await expect(page.locator("[data-row-link]")).to_have_count(1)
        await expect(page.locator("[data-row-link]").first).to_have_text(own.device)
        await visitor.open(f"/devices?q={other.device}")
        await expect(page.locator("[data-row-link]")).to_have_count(0)

        for path in ("/", "/devices", "/agents", "/departments", "/users", "/groups", "/audit", "/account"):
            await visitor.open(path)
            content = await page.content()
            for text in (other.device, other.device_id, other.username, other.department):
                assert text not in content, (visitor, path, text)
        # Of pages that one of them may not open at all.
        assert all("403" in problem for problem in visitor.problems), visitor.problems
        visitor.problems.clear()
        await visitor.open("/agents")
        await expect(page.locator("main")).to_contain_text(own.device)

        await visitor.open("/account")
        await page.keyboard.press("Control+k")
        await page.keyboard.type(other.device)
        await expect(page.locator(".palette-empty")).to_contain_text("No results")
        await page.locator("#palette input").fill(own.device)
        await expect(page.locator(".palette-option").first).to_contain_text(own.device)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/devices/{own.device_id}")
        await expect(page.locator("[data-live]")).to_have_attribute("data-state", "open")
        assert visitor.problems == []

        assert await visitor.open(f"/devices/{other.device_id}") == 404
        assert other.device not in await page.content()


@pytest.mark.skipif(NEEDS_BROWSER[0].args[0], reason=NEEDS_BROWSER[0].kwargs["reason"])
@pytest.mark.skipif(NEEDS_BROWSER[1].args[0], reason=NEEDS_BROWSER[1].kwargs["reason"])
async def test_nor_by_what_their_pages_ask(sides, visitors):
    """A browser's session asks the API for the other's device in each way that there is."""
    since = time.time() - 3600
    doors = (
        "/devices/{id}",
        "/api/v1/devices/{id}",
        "/api/v1/telemetry/latest?device={id}",
        "/api/v1/telemetry/metrics?device={id}",
        "/api/v1/telemetry/processes?device={id}",
        "/api/v1/telemetry/sessions?device={id}",
        "/api/v1/telemetry/stream?device={id}",
        f"/api/v1/telemetry/range?device={{id}}&metric=cpu_usage_percent&from={since}&to={time.time()}",
    )
    for own, other, visitor in zip(sides, reversed(sides), visitors, strict=True):
        await visitor.open("/account")
        for door in doors:
            foreign = await visitor.page.evaluate(STATUS, door.format(id=other.device_id))
            unknown = await visitor.page.evaluate(STATUS, door.format(id=uuid4()))
            assert foreign == unknown == 404, door
            assert await visitor.page.evaluate(STATUS, door.format(id=own.device_id)) == 200, door
        both = f"/api/v1/telemetry/stream?device={own.device_id}&device={other.device_id}"
        assert await visitor.page.evaluate(STATUS, both) == 404
        for path in (
            "/api/v1/devices",
            "/api/v1/agents",
            f"/api/v1/devices?department_id={other.department_id}",
            f"/api/v1/devices?name={other.device}",
        ):
            answer = await visitor.page.evaluate("path => fetch(path).then(answer => answer.json())", path)
            ids = {row.get("device_id") or row["id"] for row in answer["results"]}
            assert other.device_id not in ids, path
            assert answer["count"] == len(ids) <= 1, path


def test_nor_in_sql(sides, read_sql):
    for own, other in (sides, sides[::-1]):
        connection = read_sql(own)
        assert connection.execute("SELECT name FROM devices").fetchall() == [(own.device,)]
        assert connection.execute("SELECT hostname FROM systems").fetchall() == [(own.device,)]
        (value,) = connection.execute(
            "SELECT DISTINCT device_id FROM telemetry WHERE metric_name = 'cpu_usage_percent'"
        ).fetchall()
        assert str(value[0]) == own.device_id
        # In no table or view that can be read at all.
        tables = [row[0] for row in connection.execute(READABLE)]
        assert {"devices", "frames", "latest", "telemetry", "metrics_snapshot"} <= set(tables)
        for table in tables:
            (found,) = connection.execute(
                f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE ANY (%s)",
                ([f"%{other.device}%", f"%{other.device_id}%"],),
            ).fetchone()
            assert found == 0, table
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE devices SET name = 'mine'")
