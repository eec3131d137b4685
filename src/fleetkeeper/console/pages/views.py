"""`/views`: saved views of a list, as a menu of the list or, without scripts, as a page."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.views import service
from fleetkeeper.annotations.views.schemas import (
    ListPath,
    ListQuery,
    SavedViewCreate,
    SavedViewRead,
    SavedViewUpdate,
)
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Row, RowAction, Table, Tag
from fleetkeeper.console.contexts.views import ViewLink, ViewsMenu
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.navigation import place_of, title_at
from fleetkeeper.console.panels import attempt, done, refused, show_page
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import FormLists, WantsFragment
from fleetkeeper.console.toasts import told
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

router = APIRouter()
SHOWN = "200"
FORM = Form(
    SavedViewCreate,
    "save-view",
    "Save view",
    "Save view",
    {
        "name": Widget("Name", hint="Filters, order and columns are saved"),
        "is_default": "Make this my default for the list",
        "is_shared": "Share with everyone",
        "path": Widget("", kind="hidden"),
        "query": Widget("", kind="hidden"),
    },
)


@router.get("/views")
async def show_views(
    wants_fragment: WantsFragment,
    actor: SignedIn,
    session: Session,
    path: Annotated[ListPath, Query()],
    query: Annotated[ListQuery, Query()] = "",
) -> Response:
    """The views of a list."""
    if not wants_fragment:
        return await _page(session, actor, path, _form(actor, path, query))
    views = await _views(session, actor, path)
    links = tuple(
        ViewLink(
            one.name,
            _href(one),
            "" if one.is_own else one.owner,
            one.is_shared,
            one.is_default,
            f"/views/{one.id}/default" if one.is_own else "",
            _delete(actor, one),
        )
        for one in views
    )
    menu = ViewsMenu(path, query, links, actor.may(Permission.VIEWS_SHARE), actor.csrf_token or "")
    return render("panels/_views.html", menu)


@router.post("/views")
async def save_view(request: Request, sent: FormLists, actor: SignedIn, session: Session) -> Response:
    """Save a view, and go on to it."""

    async def save() -> SavedViewRead:
        return await service.create_view(session, actor, FORM.read(sent))

    outcome = await attempt(session, save())
    if not isinstance(outcome, FleetkeeperError):
        return done(request, _href(outcome))
    path, query = (next(iter(sent.get(name, ())), "") for name in ("path", "query"))
    return await _page(
        session, actor, path, refused(_form(actor, path, query), outcome, sent), outcome.status
    )


@router.post("/views/{view_id}/default")
async def toggle_default(request: Request, view_id: UUID, actor: SignedIn, session: Session) -> Response:
    """Let the list begin with a view from now on, or no longer."""
    view = await service.get_view(session, actor, view_id)
    changed = await service.update_view(
        session, actor, view_id, SavedViewUpdate(is_default=not view.is_default)
    )
    text = f"“{view.name}” is now your default" if changed.is_default else "The list has no default view now"
    return told(request, _href(changed), f"{text}.")


@router.post("/views/{view_id}/delete")
async def delete_view(request: Request, view_id: UUID, actor: SignedIn, session: Session) -> Response:
    """Delete a view. What the list shows stays."""
    view = await service.get_view(session, actor, view_id)
    await service.delete_view(session, actor, view_id)
    return told(request, view.path, f"Deleted the view {view.name}.")


async def _views(session: AsyncSession, actor: Actor, path: str) -> list[SavedViewRead]:
    parameters = (("path", path), ("limit", SHOWN))
    return (await service.list_views(session, actor, parameters)).results


def _form(actor: Actor, path: str, query: str) -> EntryForm:
    present = SavedViewCreate.model_construct(path=path, name="", query=query)
    only = [name for name in FORM.widgets if name != "is_shared" or actor.may(Permission.VIEWS_SHARE)]
    return FORM.shown("/views", present, only=only, is_open=True)


async def _page(
    session: AsyncSession, actor: Actor, path: str, form: EntryForm, status: int = 200
) -> Response:
    title = title_at(path) or "List"
    views = await _views(session, actor, path)
    table = Table(
        "views",
        "Saved views",
        ("Name", "Owner"),
        tuple(_row(actor, one) for one in views),
        empty="No saved views yet.",
        count=len(views),
    )
    crumbs = ((path, title),) if place_of(path) else ()
    return show_page(actor, place_of(path), f"Views of {title}", [form, table], crumbs=crumbs, status=status)


def _row(actor: Actor, one: SavedViewRead) -> Row:
    delete = _delete(actor, one)
    actions = (RowAction("Delete", delete, f"Delete the view {one.name}?"),) if delete else ()
    default = RowAction(
        "Not default" if one.is_default else "Make default",
        f"/views/{one.id}/default",
        f"Open the list without “{one.name}” first?"
        if one.is_default
        else f"Open the list with “{one.name}” first?",
        is_danger=False,
    )
    actions = (default, *actions) if one.is_own else actions
    tags = ((Tag("Default", "good"),) if one.is_default else ()) + ((Tag("Shared"),) if one.is_shared else ())
    return Row((Cell(one.name, _href(one), tags=tags), Cell(one.owner, is_soft=True)), actions)


def _href(view: SavedViewRead) -> str:
    return f"{view.path}?{view.query or 'view=all'}"


def _delete(actor: Actor, view: SavedViewRead) -> str:
    return f"/views/{view.id}/delete" if view.is_own or actor.may(Permission.VIEWS_SHARE) else ""
