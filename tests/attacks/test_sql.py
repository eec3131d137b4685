"""SQL in every filter, sort, search, cursor and include of every list, found by walking the application itself."""

import json
import re
from collections.abc import AsyncIterator

import pytest
from fastapi.routing import iter_route_contexts

from fleetkeeper.cli.routes_docs import doors
from fleetkeeper.kit import listing as listing_module
from fleetkeeper.kit.listing import OPERATORS, Listing
from tests.attacks.conftest import add_person
from tests.console.conftest import sign_in

SQL = (
    "'",
    "' OR '1'='1",
    '"; DROP TABLE devices; --',
    "name) UNION SELECT password_hash FROM users --",
    "$$; SELECT pg_sleep(30); $$",
    "\\",
    "%' OR 1=1 --",
    "name;SELECT 1",
    "1,(SELECT 1)",
    "-name,(CASE WHEN 1=1 THEN 1 END)",
    "\x00'",
    "\u02bc OR 1=1",
)
# Words that an answer has only when the database read our text as its own.
LEAKS = ("psycopg", "sqlalchemy", "syntax error", "$argon2id$", "pg_catalog", "unterminated")
# Names under which other products hide a list's include or sort.
EXTRA = ("ordering", "q", "cursor", "limit", "include", "fields", "expand", "sort", "order_by", "filter")

# What a device asks with its key.
OF_DEVICES = frozenset(door.path for door in doors() if door.guard == "device key" and door.method == "GET")

PAGE_PARAMETERS = (*EXTRA, "name", "status", "department_id", "actor", "range")


def refused_or_answered(answer, *where: object) -> None:
    assert answer.status_code in {200, 204, 400, 403, 404, 422}, (
        where,
        answer.status_code,
        answer.text[:500],
    )
    is_promql = str(where[0]).startswith("/prometheus/") if where else False
    for word in LEAKS:
        # PromQL's parser says of a text without its end that it is unterminated, as PostgreSQL would.
        if not (is_promql and word == "unterminated"):
            assert word not in answer.text, (where, word)


def is_list(document: dict, path: str) -> bool:
    """Whether a GET answers pages of results."""
    found = document["paths"][path]["get"]["responses"].get("200", {}).get("content", {})
    reference = found.get("application/json", {}).get("schema", {}).get("$ref", "")
    schema = document["components"]["schemas"].get(reference.rpartition("/")[2], {})
    return {"count", "next", "results"} <= schema.get("properties", {}).keys()


def filled(path: str, text: str = "00000000-0000-7000-8000-000000000000") -> str:
    return re.sub(r"\{[^}]*\}", lambda _: text, path)


@pytest.fixture
async def description(shared) -> dict:
    return (await shared.admin.get("/api/v1/openapi.json")).json()


def quoted(path: str, text: str) -> str:
    """The path with the text in it."""
    return filled(path, text.replace("\\", "%5C").replace("\x00", "%00").replace("%'", "%25'"))


class Spy:
    """Remembers which list was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Listing] = []
        page = Listing.page

        async def note(listing: Listing, *arguments: object, **named: object):
            self.asked.append(listing)
            return await page(listing, *arguments, **named)

        monkeypatch.setattr(listing_module.Listing, "page", note)


async def ask_controls(client, path: str, listing: Listing, everything: int) -> None:
    """Order, search and cut one list by SQL, and name fields and operators that are SQL."""
    for name in ("ordering", "limit", "cursor"):
        for text in SQL:
            answer = await client.get(path, params={name: text})
            if name == "cursor" and not everything and answer.status_code == 200:
                # An empty list looks at no cursor.
                continue
            assert answer.status_code == 422, (path, name, text, answer.text)
            assert field_named(answer) == name
    for text in SQL:
        if "\x00" not in text:
            answer = await client.get(path, params={"q": text})
            assert answer.status_code == 200, (path, text, answer.text)
        answer = await client.get(path, params={text: "1"})
        assert answer.status_code == 422, (path, text, answer.text)
    for number, field in enumerate(listing.fields):
        for text in some_of(SQL, 12, number):
            answer = await client.get(path, params={f"{field}__{text}": "1"})
            assert answer.status_code == 422, (path, field, text, answer.text)


async def ask_fields(client, path: str, listing: Listing) -> int:
    """Filter one list by SQL, by each field with each operator; returns how many questions that were."""
    sent = 0
    for place, (name, field) in enumerate(listing.fields.items()):
        for number, operator in enumerate(OPERATORS, start=place):
            for text in some_of(SQL, 6 if field.kind is str else len(SQL), number):
                wanted = {f"{name}__{operator}" if operator != "exact" else name: text}
                sent += 1
                answer = await client.get(path, params=wanted)
                refused_or_answered(answer, path, wanted)
                if answer.status_code == 422:
                    assert field_named(answer) in wanted, (path, wanted)
                elif field.kind is str and operator in {"exact", "contains"}:
                    only_with(answer.json(), text, (path, wanted))
    return sent


def only_with(page: dict, text: str, why: object) -> None:
    """Nothing is found but what holds the text as it is, as generated objects of other tests may."""
    meant = json.dumps(text)[1:-1].casefold()
    assert all(meant in json.dumps(one).casefold() for one in page["results"]), why


def some_of(texts: tuple[str, ...], parts: int, number: int) -> tuple[str, ...]:
    """Every so manieth of the texts, others for each number.

    Each question costs ten milliseconds. What reads a parameter is the same code for all fields, and all texts pass
    through each field and each operator, but not all through each pair of them.
    """
    return texts[number % parts :: parts]


def field_named(answer) -> str:
    return answer.json()["errors"][0]["field"].removeprefix("query.")


class TestLists:
    async def test_every_filter_sort_search_and_cursor(self, shared, description, monkeypatch):
        """All columns of all lists with all operators: what comes is data, or a refusal that names the field."""
        spy = Spy(monkeypatch)
        paths = [path for path, methods in description["paths"].items() if "get" in methods]
        lists = [path for path in paths if is_list(description, path) and "{" not in path]
        assert len(lists) > 10
        sent = 0
        for path in lists:
            spy.asked.clear()
            answer = await shared.admin.get(path)
            if path in {"/api/v1/attachments", "/api/v1/notes"}:
                # Those of one object, which has to be named; a test of the room's own asks for them.
                assert answer.json()["errors"][0]["field"] == "query.object"
                continue
            if path == "/api/v1/account/passkeys":
                # For people in a browser alone, and it takes no parameters.
                assert answer.status_code == 403
                continue
            assert answer.status_code == 200, (path, answer.text)
            everything = answer.json()["count"]
            assert len(spy.asked) == 1, f"{path} pages by itself: give it a Listing, or a test of its own"
            await ask_controls(shared.admin, path, spy.asked[0], everything)
            sent += await ask_fields(shared.admin, path, spy.asked[0])
        assert sent > 2000
        assert (await shared.admin.get("/api/v1/devices")).json()["count"] > 0

    async def test_a_search_is_a_search(self, shared):
        """A list with rows in it, and none of them fits what has no meaning but in SQL."""
        assert (await shared.admin.get("/api/v1/devices")).json()["count"] > 0
        for text in (*SQL[:-2], "%", "_", "%%", "______"):
            found = (await shared.admin.get("/api/v1/devices", params={"q": text})).json()
            only_with(found, text, text)

    async def test_the_walk_sees_a_list_that_pastes_its_ordering(self, shared, description, monkeypatch):
        """What this file is for: were a sort put into the statement as it came, the test above would say so."""
        from sqlalchemy import literal_column

        from fleetkeeper.devices import queries as device_queries

        class Careless(dict):
            def get(self, name, default=None):
                return super().get(name, default) or listing_module.Field(literal_column(name), str)

        monkeypatch.setattr(
            device_queries,
            "LISTING",
            listing_module.Listing(
                **{
                    **vars(device_queries.LISTING),
                    "fields": Careless(device_queries.LISTING.fields),
                }
            ),
        )
        from fleetkeeper.devices import service

        monkeypatch.setattr(service, "LISTING", device_queries.LISTING, raising=False)
        answer = await shared.admin.get("/api/v1/devices", params={"ordering": "name;SELECT 1"})
        assert answer.status_code not in {200, 422}


class TestEverythingElse:
    async def test_every_parameter_of_every_question(self, shared, description):
        """Parameters and parts of paths of all GET routes, but for filters of lists: each with some of the texts."""
        for place, (path, methods) in enumerate(description["paths"].items()):
            # An open stream never ends; agents' doors want a device's key, and look at nothing else.
            if "get" not in methods or path.endswith("/stream") or path.startswith("/api/v1/agent/"):
                continue
            ask = (shared.device.client if path in OF_DEVICES else shared.admin).get
            named = {item["name"] for item in methods["get"].get("parameters", []) if item["in"] == "query"}
            if is_list(description, path) and "{" not in path:
                # Its filters have a test of their own above.
                named &= {*EXTRA}
            for text in some_of(SQL, 4, place) if "{" in path else ():
                refused_or_answered(await ask(quoted(path, text)), path, text)
            undeclared = some_of(tuple(sorted(set(EXTRA) - named)), 3, place)
            for number, name in enumerate(sorted(named | {*undeclared, SQL[place % len(SQL)]}), start=place):
                for text in some_of(SQL, 4 if name in named else 12, number):
                    refused_or_answered(await ask(filled(path), params={name: text}), path, name)

    async def test_in_pages_of_the_console(self, app):
        browser = await sign_in(app, "maria", "admin")
        paths = set()
        for route in iter_route_contexts(app.asgi.app.app.routes):
            is_page = not str(route.path).startswith(
                ("/api", "/scim", "/health", "/static", "/agent/", "/sign")
            )
            if is_page and "GET" in (getattr(route, "methods", None) or ()):
                paths.add(str(route.path))
        assert {"/devices", "/users", "/groups"} <= paths
        for place, path in enumerate(sorted(paths)):
            if "export" in path:
                continue
            for number, text in enumerate(some_of(SQL[:6], 3, place), start=place):
                for name in (*some_of(PAGE_PARAMETERS, 3, number), text):
                    answer = await browser.client.get(filled(path), params={name: text})
                    assert answer.status_code < 500, (path, name, text)
                    for word in LEAKS:
                        assert word not in answer.text, (path, name, word)

    @pytest.fixture
    async def provisioner(self, app, connection) -> AsyncIterator[object]:
        async with app.client(add_person(connection, "provisioner", "admin", None)) as client:
            yield client

    @pytest.mark.parametrize("kind", ["Users", "Groups"])
    async def test_in_filters_of_scim(self, provisioner, kind):
        for text in SQL:
            quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\x00", "\\u0000")
            for name in ("userName", "displayName", "externalId", "id", text):
                answer = await provisioner.get(f"/scim/v2/{kind}", params={"filter": f'{name} eq "{quoted}"'})
                assert answer.status_code in {200, 400}, (name, text, answer.text)
                assert answer.json().get("totalResults", 0) == 0
            for name in ("sortBy", "sortOrder", "startIndex", "count", "attributes", "filter"):
                answer = await provisioner.get(f"/scim/v2/{kind}", params={name: text})
                assert answer.status_code in {200, 400}, (name, text, answer.text)
                for word in LEAKS:
                    assert word not in answer.text

    async def test_in_what_agents_send(self, device, app, connection):
        """Names of metrics, labels, processes, users and hardware end in statements of their own."""
        import time

        for text in SQL:
            now = time.time()
            values = {text: 1.0, f'cpu_usage_percent{{core="{text}"}}': 1.0}
            answer = await device.send((now, values))
            assert answer.status_code in {200, 422}, answer.text
            process = {"pid": 1, "name": text, "command": text, "username": text}
            bodies = {
                "/api/v1/telemetry/processes": {"snapshots": [{"ts": now, "processes": [process]}]},
                "/api/v1/telemetry/sessions": {
                    "sessions": [{"username": text, "terminal": text, "host": text}]
                },
                "/api/v1/agent/inventory": {"inventory": {"hostname": text, "model": text}},
            }
            for path, body in bodies.items():
                answer = await device.client.post(path, json=body)
                assert answer.status_code in {204, 422}, (path, answer.text)
        assert connection.execute("SELECT count(*) FROM devices").fetchone() == (1,)

    @pytest.mark.parametrize("text", [one for one in SQL if "\x00" not in one and one.isascii()])
    async def test_in_headers_that_the_audit_log_keeps(self, app, admin, connection, text):
        headers = {"User-Agent": text, "X-Change-Reason": text.replace("%", "%25"), "X-Request-ID": "a-1"}
        answer = await admin.patch("/api/v1/config/retention", json={"days": 31}, headers=headers)
        assert answer.status_code == 200
        kept = connection.execute(
            "SELECT user_agent, change_reason FROM audit_log WHERE request_id = 'a-1' AND resource_type = 'config'"
        ).fetchone()
        assert kept == (text, text)
