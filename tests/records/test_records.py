"""A small kind of object by the shared service, API and pages alone: crates."""

import re
from enum import StrEnum
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fleetkeeper.approvals.jobs import apply_request
from fleetkeeper.approvals.kinds import KINDS
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell
from fleetkeeper.console.lists.declaring import Column, ListPage, status_filter
from fleetkeeper.console.records import record_pages
from fleetkeeper.database.base import Base, Keyed
from fleetkeeper.errors import ConflictError
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.kit.listing import Field as Filter
from fleetkeeper.kit.listing import Listing
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.status import MACHINES, Machine
from fleetkeeper.records.api import record_router
from fleetkeeper.records.approving import ApprovedMove
from fleetkeeper.records.service import Records
from tests.console.conftest import sign_in
from tests.factories.approvals import level, make_approval_rule
from tests.factories.identity import give, make_role, make_token, make_tree, make_user
from tests.fixtures.client import TEST_CONTEXT

CRATES = "/api/v1/crates"
REASON = {"X-Change-Reason": "Ship sails"}


class CrateState(StrEnum):
    OPEN = "open"
    SENT = "sent"


class Own(DeclarativeBase):
    """None of the product's tables."""

    metadata = MetaData(naming_convention=Base.metadata.naming_convention)


class Crate(Keyed, Own):
    __tablename__ = "crates"

    name: Mapped[str] = mapped_column(String(20))
    weight: Mapped[int]
    status: Mapped[str] = mapped_column(server_default="open")
    department_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(server_default="1")


class CrateWrite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=20)
    weight: int = Field(ge=0, le=1000)
    department_id: UUID | None = None


class CrateRead(CrateWrite):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    status: CrateState
    version: int


class CratePage(PageOf[CrateRead]):
    """One page of crates."""


LISTING = Listing(
    fields={
        "name": Filter(Crate.name.expression, str),
        "weight": Filter(Crate.weight.expression, int),
        "status": Filter(Crate.status.expression, str, choices=tuple(CrateState)),
    },
    search=(Crate.name.expression,),
    key=Crate.id.expression,
    default_ordering="name",
)
STATES = Machine(
    "crate",
    {CrateState.OPEN: frozenset({CrateState.SENT}), CrateState.SENT: frozenset()},
    {CrateState.OPEN: "", CrateState.SENT: "good"},
)
# It is none of the product's.
MACHINES.remove(STATES)


def check(present: Crate | None, wanted: CrateWrite) -> None:
    if present is not None and present.status == CrateState.SENT and wanted.weight != present.weight:
        raise ConflictError("A crate that was sent keeps its weight.")


crates = Records(
    model=Crate,
    listing=LISTING,
    write_as=CrateWrite,
    read_as=CrateRead,
    page_as=CratePage,
    noun=("crate", "crates"),
    page="/crates/{}",
    read=Permission.FIELDS_READ,
    write=Permission.FIELDS_WRITE,
    machine=STATES,
    approved={
        CrateState.SENT: ApprovedMove(
            "crates.send",
            "Send a crate",
            "kilograms",
            amount=lambda one: one.weight,
            facts=lambda one: [("Crate", one.name), ("Weight", f"{one.weight} kg")],
        )
    },
    check=check,
)
SEND = KINDS.pop("crates.send")


@pytest.fixture
def in_use(app, connection, monkeypatch):
    """The table, the API and the pages."""
    connection.execute(
        "CREATE TABLE crates (id uuid PRIMARY KEY, name varchar(20) NOT NULL CONSTRAINT uq_crates_name UNIQUE, "
        "weight int NOT NULL, status text NOT NULL DEFAULT 'open', department_id uuid, version int NOT NULL DEFAULT 1)"
    )
    connection.execute(
        "SELECT secure_table('crates'), audit_table('crates', '{id}', 'name', NULL, '{version}')"
    )
    monkeypatch.setitem(KINDS, "crates.send", SEND)
    page: ListPage[CrateRead] = ListPage(
        path="/crates",
        title="Crates",
        noun=crates.noun,
        listing=LISTING,
        search="Name",
        quick=(status_filter(CrateState, is_chips=True),),
        columns=(Column("name", "Name", lambda one: Cell(one.name, f"/crates/{one.id}"), sort="name"),),
        empty=Empty("No crates yet"),
    )
    labels = {"name": "Name", "weight": "Weight", "department_id": "Department"}
    app.asgi.app.app.include_router(record_router(crates), prefix="/api/v1")
    app.asgi.app.app.include_router(record_pages(crates, page, labels))
    yield
    connection.execute("DROP TABLE crates; DROP FUNCTION audit_crates()")


@pytest.mark.usefixtures("in_use")
class TestApi:
    async def test_from_creating_to_deleting(self, admin):
        made = await admin.post(CRATES, json={"name": "Bolts", "weight": 20})
        assert (made.status_code, made.headers["etag"]) == (201, '"1"')
        one = f"{CRATES}/{made.json()['id']}"
        wrong = await admin.post(CRATES, json={"name": "", "weight": 20})
        assert wrong.json()["errors"][0]["field"] == "name"
        changed = await admin.put(one, json={"name": "Nuts", "weight": 21}, headers={"If-Match": '"1"'})
        assert (changed.json()["name"], changed.headers["etag"]) == ("Nuts", '"2"')
        late = await admin.put(one, json={"name": "Pins", "weight": 21}, headers={"If-Match": '"1"'})
        assert late.status_code == 412
        assert [row["name"] for row in (await admin.get(CRATES, params={"q": "nut"})).json()["results"]] == [
            "Nuts"
        ]
        assert (await admin.get(CRATES, params={"status": "sent"})).json()["count"] == 0
        exported = await admin.get(f"{CRATES}/export", params={"weight__gte": "21"})
        assert "Nuts" in exported.text
        assert (await admin.post(f"{one}/status/sent")).status_code == 422
        sent = await admin.post(f"{one}/status/sent", headers=REASON)
        assert (sent.json()["status"], sent.headers["etag"]) == ("sent", '"3"')
        assert (await admin.post(f"{one}/status/open", headers=REASON)).status_code == 409
        kept = await admin.put(one, json={"name": "Nuts", "weight": 1})
        assert (kept.status_code, kept.json()["detail"]) == (409, "A crate that was sent keeps its weight.")
        assert (await admin.delete(one)).status_code == 422
        assert (await admin.delete(one, headers=REASON)).status_code == 204
        assert (await admin.get(one)).status_code == 404
        history = (await admin.get("/api/v1/audit", params={"resource_type": "crates"})).json()["results"]
        assert [entry["action"] for entry in reversed(history)] == [
            "crates.insert",
            "crates.update",
            "crates.export",
            "crates.update",
            "crates.delete",
        ]

    async def test_departments_part_what_is_seen_and_changed(self, app, admin):
        async with app.state.database.session(TEST_CONTEXT) as session:
            north, harbour, south = await make_tree(session)
            nora = await make_user(session, "nora")
            # No device is seen by it: row-level security goes by where one may do anything.
            await give(
                session,
                nora,
                await make_role(session, Permission.FIELDS_READ, Permission.FIELDS_WRITE),
                north,
            )
            token = await make_token(session, nora)
        there = (
            await admin.post(CRATES, json={"name": "S", "weight": 1, "department_id": str(south.id)})
        ).json()
        nobodys = (await admin.post(CRATES, json={"name": "N", "weight": 1})).json()
        async with app.client(token) as client:
            own = {"name": "H", "weight": 1, "department_id": str(harbour.id)}
            made = await client.post(CRATES, json=own)
            assert made.status_code == 201, made.text
            assert [one["name"] for one in (await client.get(CRATES)).json()["results"]] == ["H"]
            assert (await client.get(f"{CRATES}/export")).text.count("\n") == 2
            for one in (there, nobodys):
                for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/status/sent")):
                    answer = await client.request(
                        method,
                        f"{CRATES}/{one['id']}{path}",
                        json=own if method == "PUT" else None,
                        headers=REASON,
                    )
                    assert answer.status_code == 404, (method, path)
            away = await client.put(
                f"{CRATES}/{made.json()['id']}", json=own | {"department_id": str(south.id)}
            )
            assert away.status_code == 403
            assert (await client.post(CRATES, json=own | {"department_id": None})).status_code == 403

    async def test_a_move_waits_for_approval_of_the_crate_as_it_was(self, app, admin):
        async with app.state.database.session(TEST_CONTEXT) as session:
            ann = await make_user(session, "ann")
            await give(session, ann, Role.VIEWER)
            rule = {"kind": "crates.send", "threshold": 100}
            await make_approval_rule(session, level(ann), **rule)
            token = await make_token(session, ann)
        light, heavy = [
            (await admin.post(CRATES, json={"name": name, "weight": weight})).json()["id"]
            for name, weight in (("Feathers", 1), ("Lead", 500))
        ]
        assert (await admin.post(f"{CRATES}/{light}/status/sent", headers=REASON)).status_code == 200
        for weight, expected in ((501, "failed"), (501, "applied")):
            held = await admin.post(f"{CRATES}/{heavy}/status/sent", headers=REASON)
            assert held.status_code == 202, held.text
            assert ["Crate", "Lead"] in held.json()["facts"]
            assert (await admin.get(f"{CRATES}/{heavy}")).json()["status"] == "open"
            async with app.client(token) as client:
                said = await client.post(f"/api/v1/approvals/{held.json()['id']}/approve", json={})
            assert said.status_code == 200, said.text
            # It is another crate than the one that was approved, the first time.
            await admin.put(f"{CRATES}/{heavy}", json={"name": "Lead", "weight": weight})
            assert await apply_request(app.state.database, UUID(held.json()["id"])) == expected
        assert (await admin.get(f"{CRATES}/{heavy}")).json()["status"] == "sent"

    async def test_a_change_ends_the_request_that_waits(self, app, admin):
        async with app.state.database.session(TEST_CONTEXT) as session:
            await make_approval_rule(session, level(await make_user(session, "ann")), kind="crates.send")
        one = f"{CRATES}/{(await admin.post(CRATES, json={'name': 'Lead', 'weight': 5})).json()['id']}"
        waiting = []
        for change in (
            lambda: admin.put(one, json={"name": "Gold", "weight": 5}),
            lambda: admin.delete(one, headers=REASON),
        ):
            held = (await admin.post(f"{one}/status/sent", headers=REASON)).json()
            waiting.append(held["id"])
            assert (await change()).status_code in {200, 204}
            request = (await admin.get(f"/api/v1/approvals/{held['id']}")).json()
            assert request["status"] == "cancelled"
        assert len(set(waiting)) == 2


@pytest.mark.usefixtures("in_use")
async def test_pages(app):
    browser = await sign_in(app, "maria", Role.ADMIN)
    assert "No crates yet" in await browser.page("/crates")
    made = await browser.send("/crates", name="Bolts", weight="20", department_id="")
    address = made.headers["hx-redirect"]
    page = await browser.page(address)
    assert re.search(r"<dt>Weight</dt>\s*<dd[^>]*>\s*20", page)
    assert "Mark as sent" in page
    assert (await browser.send(f"{address}/status/sent", change_reason="Ship sails")).status_code == 204
    late = await browser.send(address, name="Bolts", weight="1", department_id="", version="2")
    assert late.status_code == 409
    assert "keeps its weight" in late.text
