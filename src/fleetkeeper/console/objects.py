"""The usual pages of one kind of object: a list with a form for a new one, and the page of one with tabs.

A room that needs more than the usual writes pages of its own, from the same parts.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.console.annotation_tabs import annotating, annotation_tabs
from fleetkeeper.console.approval_notes import waiting_notes
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Option
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail
from fleetkeeper.console.forms.form import Form, version_in
from fleetkeeper.console.forms.status_forms import status_cell, status_forms
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.declaring import ListPage
from fleetkeeper.console.panels import REASON, Sent, department_options, refused, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FieldError, FleetkeeperError, InvalidInputError, NotFoundError
from fleetkeeper.identity.access import reason_given, require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.status import Machine

Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)
Options = Mapping[str, Sequence[Option]]
Pairs = Sequence[tuple[str, Cell]]
OptionsOf = Callable[[AsyncSession, Actor], Awaitable[Options]]


async def no_options(session: AsyncSession, actor: Actor) -> Options:
    """For forms whose choices their schema lists."""
    del session, actor
    return {}


def departments(permission: Permission, everywhere: str = "All departments") -> OptionsOf:
    """The choices of `department_id`: where one has the permission; and none, for those who have it everywhere."""

    async def options(session: AsyncSession, actor: Actor) -> Options:
        places = await all_departments(session, actor, permission)
        nothing = everywhere if actor.may_everywhere(permission) else None
        return {"department_id": department_options(places, None, nothing)}

    return options


@dataclass(frozen=True)
class Service(Generic[Item, Model]):
    """What the room does; all but reading may be left out. Each raises the errors of the API.

    What has to be approved first is answered with the request: its page is shown then.
    """

    list: Callable[[AsyncSession, Actor, list[tuple[str, str]]], Awaitable[Any]]
    get: Callable[[AsyncSession, Actor, UUID], Awaitable[Item]]
    create: Callable[[AsyncSession, Actor, Model], Awaitable[Item | ApprovalRead]] | None = None
    # With the version that the sender saw.
    change: (
        Callable[[AsyncSession, Actor, UUID, Model, int | None], Awaitable[Item | ApprovalRead]] | None
    ) = None
    delete: Callable[[AsyncSession, Actor, UUID], Awaitable[Any]] | None = None
    # To a state, for a reason.
    move: Callable[[AsyncSession, Actor, UUID, Any, str], Awaitable[Item | ApprovalRead]] | None = None


@dataclass(frozen=True)
class Objects(Generic[Item, Model]):
    """One kind of object. Items need the attributes `id` and `department_id`, and `version` where they change."""

    page: ListPage[Item]
    table: str
    read: Permission
    write: Permission
    service: Service[Item, Model]
    # Of the API's schema; a new object and a changed one have the same fields.
    form: Form[Model]
    name: Callable[[Item], str]
    # Beside its status and department, which are shown by themselves.
    facts: Callable[[Item], Pairs]
    options: OptionsOf = no_options
    # What the forms show where the form's schema is not that of the item: for a new one, and for one that is there.
    blank: Callable[[Actor], BaseModel] | None = None
    entered: Callable[[Actor, Item], BaseModel] | None = None
    machine: Machine[Any] | None = None
    # What a move to a state has for a consequence.
    consequences: Mapping[str, str] = field(default_factory=dict)
    # What people call a move, where that is not “Mark as …”; empty for one that follows from something else.
    acts: Mapping[str, str] = field(default_factory=dict)
    # What is wrong with an entry beyond its schema, said in the same round.
    check: Callable[[AsyncSession, Actor, Model], Awaitable[Sequence[FieldError]]] | None = None
    # What follows from a deletion, for all or for each.
    deletion: str | Callable[[Item], str] = "This cannot be undone."
    # Where else one may go from the list: addresses and what they are called.
    links: Sequence[tuple[str, str]] = ()
    # What the page of one shows besides; the last says whether the reader may change it.
    more: Callable[[AsyncSession, Actor, Item, bool], Awaitable[Panels]] | None = None

    @property
    def one(self) -> str:
        """What people call one of them."""
        return self.page.noun[0]

    @property
    def new_form(self) -> Form[Model]:
        """For one that is made."""
        title = f"Create {self.one}"
        form_id = f"new-{self.one}".replace(" ", "-")
        return Form(self.form.model, form_id, title, title, self.form.widgets, self.form.text)

    @property
    def edit_form(self) -> Form[Model]:
        """For one that is there."""
        return Form(
            self.form.model, "change", f"Edit {self.one}", "Save changes", self.form.widgets, self.form.text
        )


def object_pages(objects: Objects[Item, Model]) -> APIRouter:
    """The routes of these pages: `GET` and `POST` of the list and of one, `/status/{state}` and `/delete` below it."""
    router = APIRouter()
    _add_reading(router, objects)
    _add_creating(router, objects)
    _add_changing(router, objects)
    _add_moving(router, objects)
    _add_deleting(router, objects)
    return router


def _add_reading(router: APIRouter, objects: Objects[Item, Model]) -> None:
    home, may_read = objects.page.path, require(objects.read)

    @router.get(home)
    async def list_all(
        request: Request, session: Session, actor: Annotated[Actor, Depends(may_read)]
    ) -> Response:
        return await _show_list(request, session, actor, objects)

    @router.get(f"{home}/{{key}}")
    async def show_one(
        request: Request, key: UUID, session: Session, actor: Annotated[Actor, Depends(may_read)]
    ) -> Response:
        return await show_object(request, session, actor, objects, key)


def _add_creating(router: APIRouter, objects: Objects[Item, Model]) -> None:
    home, may_write, create = objects.page.path, require(objects.write), objects.service.create
    if create is None:
        return

    @router.post(home)
    async def create_one(
        request: Request, sent: FormLists, session: Session, actor: Annotated[Actor, Depends(may_write)]
    ) -> Response:
        async def make() -> Any:
            return await create(session, actor, await _read(session, actor, objects, sent))

        async def again(error: FleetkeeperError) -> Response:
            return await _show_list(request, session, actor, objects, error, sent)

        return await submit(
            request, session, make(), lambda made: _page_after(made, f"{home}/{made.id}"), again
        )


def _add_changing(router: APIRouter, objects: Objects[Item, Model]) -> None:
    home, may_write, change = objects.page.path, require(objects.write), objects.service.change
    if change is None:
        return

    @router.post(f"{home}/{{key}}")
    async def change_one(
        request: Request,
        key: UUID,
        sent: FormLists,
        session: Session,
        actor: Annotated[Actor, Depends(may_write)],
    ) -> Response:
        async def apply() -> object:
            entry = await _read(session, actor, objects, sent)
            return await change(session, actor, key, entry, version_in(sent))

        async def again(error: FleetkeeperError) -> Response:
            refusal = Refusal("change", error, sent, "settings")
            return await show_object(request, session, actor, objects, key, refusal)

        return await submit(
            request, session, apply(), lambda outcome: _page_after(outcome, f"{home}/{key}"), again
        )


def _add_moving(router: APIRouter, objects: Objects[Item, Model]) -> None:
    home, may_write, move = objects.page.path, require(objects.write), objects.service.move
    states = () if objects.machine is None else tuple(objects.machine.moves)
    if move is None:
        return

    @router.post(f"{home}/{{key}}/status/{{state}}")
    async def move_one(
        request: Request,
        key: UUID,
        state: str,
        sent: FormLists,
        session: Session,
        actor: Annotated[Actor, Depends(may_write)],
    ) -> Response:
        wanted = next((one for one in states if one == state), None)
        if wanted is None:
            raise NotFoundError("There is no such status.")

        async def apply() -> object:
            return await move(session, actor, key, wanted, await reason_given(request))

        async def again(error: FleetkeeperError) -> Response:
            refusal = Refusal(f"status-{wanted}", error, sent)
            return await show_object(request, session, actor, objects, key, refusal)

        return await submit(
            request, session, apply(), lambda outcome: _page_after(outcome, f"{home}/{key}"), again
        )


def _add_deleting(router: APIRouter, objects: Objects[Item, Model]) -> None:
    home, may_write, delete = objects.page.path, require(objects.write), objects.service.delete
    if delete is None:
        return

    @router.post(f"{home}/{{key}}/delete")
    async def delete_one(
        request: Request,
        key: UUID,
        sent: FormLists,
        session: Session,
        actor: Annotated[Actor, Depends(may_write)],
    ) -> Response:
        async def apply() -> object:
            await reason_given(request)
            return await delete(session, actor, key)

        async def again(error: FleetkeeperError) -> Response:
            refusal = Refusal("delete", error, sent, "settings")
            return await show_object(request, session, actor, objects, key, refusal)

        return await submit(request, session, apply(), lambda outcome: _page_after(outcome, home), again)


async def _read(
    session: AsyncSession, actor: Actor, objects: Objects[Item, Model], sent: Mapping[str, Sequence[str]]
) -> Model:
    """What a sent form asks for. Raises InvalidInputError with all that is wrong."""
    if objects.check is None:
        return objects.form.read(sent)
    entry, wrong = objects.form.read_partly(sent)
    known = {one.field for one in wrong}
    wrong += [one for one in await objects.check(session, actor, entry) if one.field not in known]
    if wrong:
        raise InvalidInputError("Correct the marked fields.", fields=wrong)
    return entry


def _page_after(outcome: object, page: str) -> str:
    """Where to go on: to the request, where something has to be approved first."""
    return f"/approvals/{outcome.id}" if isinstance(outcome, ApprovalRead) else page


async def _show_list(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    objects: Objects[Item, Model],
    error: FleetkeeperError | None = None,
    sent: Sent | None = None,
) -> Response:
    form: EntryForm | None = None
    if objects.service.create is not None and actor.may(objects.write):
        blank = None if objects.blank is None else objects.blank(actor)
        form = objects.new_form.shown(objects.page.path, blank, options=await objects.options(session, actor))
        form = refused(form, error, sent or {}) if error is not None else form
    fetch = partial(objects.service.list, session, actor)
    status = 200 if error is None else error.status
    return await show_list(
        request, session, actor, objects.page, fetch, before=[form], links=objects.links, status=status
    )


async def show_object(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    objects: Objects[Item, Model],
    key: UUID,
    refusal: Refusal | None = None,
) -> Response:
    """The page of one, for a room's own acts on it, too: these answer with it when they are refused."""
    item: Any = await objects.service.get(session, actor, key)
    may_write = actor.may_in(objects.write, item.department_id)
    base = f"{objects.page.path}/{key}"

    async def overview() -> Panels:
        facts = Facts(
            objects.one,
            objects.one.capitalize(),
            (
                *_status_fact(objects, item),
                *objects.facts(item),
                *await _department_fact(session, actor, objects, item),
            ),
        )
        more = await objects.more(session, actor, item, may_write) if objects.more else ()
        if objects.machine is None or not may_write:
            return [facts, *more]
        return [
            facts,
            *more,
            *status_forms(objects.machine, item.status, base, objects.consequences, objects.acts),
        ]

    about = await annotating(request, session, actor, objects.table, key)

    async def settings() -> Panels:
        options = await objects.options(session, actor)
        present = item if objects.entered is None else objects.entered(actor, item)
        shown = objects.edit_form.shown(base, present, options=options, version=item.version, is_open=True)
        delete = None if objects.service.delete is None else _delete_form(objects, item, base)
        return [shown, about.tags_form, delete]

    has_settings = may_write and objects.service.change is not None
    return await show_detail(
        request,
        actor,
        objects.page.path,
        objects.name(item),
        [
            Tab("overview", "Overview", overview),
            *annotation_tabs(about),
            history_tab(session, actor, objects.table, key),
            Tab("settings", "Settings", settings) if has_settings else None,
        ],
        crumbs=((objects.page.path, objects.page.title),),
        notes=await waiting_notes(session, actor, objects.table, key),
        tags=about.shown_tags,
        refusal=refusal,
    )


def _status_fact(objects: Objects[Item, Model], item: Any) -> Pairs:
    if objects.machine is None:
        return ()
    return (("Status", status_cell(objects.machine, item.status)),)


async def _department_fact(
    session: AsyncSession, actor: Actor, objects: Objects[Item, Model], item: Any
) -> Pairs:
    if "department_id" not in objects.form.widgets or item.department_id is None:
        return ()
    paths = {one.id: one.path for one in await all_departments(session, actor, objects.read)}
    return (("Department", Cell(paths.get(item.department_id, ""))),)


def _delete_form(objects: Objects[Item, Model], item: Item, base: str) -> EntryForm:
    title = f"Delete {objects.one}"
    text = objects.deletion if isinstance(objects.deletion, str) else objects.deletion(item)
    return EntryForm("delete", title, f"{base}/delete", title, (REASON,), text=text, is_danger=True)
