"""The usual pages of one kind of object, over a service that keeps its objects in memory."""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell
from fleetkeeper.console.forms.form import Form
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.lists.showing import SomeRows
from fleetkeeper.console.objects import Objects, Service, object_pages
from fleetkeeper.errors import NotFoundError
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.status import MACHINES, Machine


class State(StrEnum):
    NEW = "new"
    GONE = "gone"


class BoxWrite(BaseModel):
    name: str = Field(min_length=1)
    color: str = ""


@dataclass(frozen=True)
class Box:
    name: str
    color: str
    id: UUID = field(default_factory=uuid7)
    status: State = State.NEW
    version: int = 1
    department_id: UUID | None = None


STATES = Machine(
    "box", {State.NEW: frozenset({State.GONE}), State.GONE: frozenset()}, {State.NEW: "", State.GONE: "bad"}
)
# It is none of the product's.
MACHINES.remove(STATES)


@dataclass
class Boxes:
    """A fake of a room's service."""

    kept: dict[UUID, Box] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    # What a move waits for, where it has to be approved.
    held: ApprovalRead | None = None

    async def list(self, session, actor, parameters):
        return SomeRows(list(self.kept.values()), len(self.kept))

    async def get(self, session, actor, key):
        if key not in self.kept:
            raise NotFoundError("There is no such box.")
        return self.kept[key]

    async def create(self, session, actor, wanted):
        box = Box(wanted.name, wanted.color)
        self.kept[box.id] = box
        return box

    async def change(self, session, actor, key, wanted, version):
        check_version("box", self.kept[key].version, version)
        self.kept[key] = replace(self.kept[key], **wanted.model_dump(), version=self.kept[key].version + 1)
        return self.kept[key]

    async def delete(self, session, actor, key):
        del self.kept[key]

    async def move(self, session, actor, key, state, reason):
        if self.held is not None:
            return self.held
        STATES.check(self.kept[key].status, state)
        self.reasons.append(reason)
        self.kept[key] = replace(self.kept[key], status=state)
        return self.kept[key]


@pytest.fixture
def boxes(app) -> Boxes:
    boxes = Boxes()
    page: ListPage[Box] = ListPage(
        path="/boxes",
        title="Boxes",
        noun=("box", "boxes"),
        columns=(Column("name", "Name", lambda one: Cell(one.name, f"/boxes/{one.id}")),),
        empty=Empty("No boxes yet"),
    )
    service = Service(boxes.list, boxes.get, boxes.create, boxes.change, boxes.delete, boxes.move)
    objects = Objects(
        page=page,
        table="boxes",
        read=Permission.DEVICES_READ,
        write=Permission.CONFIG_WRITE,
        service=service,
        form=Form(BoxWrite, "box", "Box", "Save", {"name": "Name", "color": "Color"}),
        name=lambda one: one.name,
        facts=lambda one: (("Color", Cell(one.color)),),
        machine=STATES,
        consequences={"gone": "Nobody finds it again."},
    )
    app.asgi.app.app.include_router(object_pages(objects))
    return boxes


async def test_from_creating_to_deleting(browser, boxes):
    assert "No boxes yet" in await browser.page("/boxes")
    wrong = await browser.send("/boxes", name="", color="red")
    assert wrong.status_code == 422
    assert 'value="red"' in wrong.text
    made = await browser.send("/boxes", name="Box A", color="red")
    address = made.headers["hx-redirect"]
    page = await browser.page(address)
    assert "Mark as gone" in page
    assert re.search(r"<dt>Status</dt>\s*<dd[^>]*>.*?New", page, re.DOTALL)
    assert "Nobody finds it again." in page
    settings = await browser.page(f"{address}?tab=settings")
    assert 'value="Box A"' in settings
    assert (await browser.send(address, name="Box B", color="", version="1")).status_code == 204
    late = await browser.send(address, name="Box C", color="", version="1")
    assert late.status_code == 412
    assert 'value="Box C"' in late.text
    assert "Box B" in await browser.page("/boxes")
    unsaid = await browser.send(f"{address}/status/gone", change_reason=" ")
    assert unsaid.status_code == 422
    assert "Say why" in unsaid.text[unsaid.text.index("Mark as gone") :]
    assert (await browser.send(f"{address}/status/gone", change_reason="Lost")).status_code == 204
    assert boxes.reasons == ["Lost"]
    assert (await browser.send(f"{address}/status/nowhere", change_reason="x")).status_code == 404
    assert "Mark as gone" not in await browser.page(address)
    again = await browser.send(f"{address}/status/gone", change_reason="From another tab")
    assert again.status_code == 409
    assert "This box has already finished." in again.text
    assert f'href="{address}?tab=settings"' in again.text
    unsaid = await browser.send(f"{address}/delete")
    assert unsaid.status_code == 422
    assert "Say why" in unsaid.text
    gone = await browser.send(f"{address}/delete", change_reason="Lost")
    assert gone.headers["hx-redirect"] == "/boxes"
    await browser.page(address, status=404)


async def test_what_has_to_be_approved_leads_to_the_request(boxes, browser):
    box = await boxes.create(None, None, BoxWrite(name="Box A"))
    boxes.held = ApprovalRead.model_construct(id=uuid7())
    answer = await browser.send(f"/boxes/{box.id}/status/gone", change_reason="Lost")
    assert answer.headers["hx-redirect"] == f"/approvals/{boxes.held.id}"


async def test_who_may_only_look_is_offered_nothing(boxes, viewer_browser):
    box = await boxes.create(None, None, BoxWrite(name="Box A"))
    assert "new-box" not in await viewer_browser.page("/boxes")
    page = await viewer_browser.page(f"/boxes/{box.id}")
    assert "Mark as" not in page
    assert "Settings</a>" not in page.partition("page-tabs")[2]
    for address in ("/boxes", f"/boxes/{box.id}", f"/boxes/{box.id}/status/gone", f"/boxes/{box.id}/delete"):
        answer = await viewer_browser.send(address, name="x", color="", change_reason="x")
        assert answer.status_code == 403
    assert boxes.kept == {box.id: box}
