"""`/bookmarks`: the menu of the pages that somebody has marked, in the bar above each page."""

from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.bookmarks import service
from fleetkeeper.annotations.bookmarks.schemas import BookmarkCreate, BookmarkRead
from fleetkeeper.console.contexts.bookmarks import BookmarkLink, BookmarksMenu
from fleetkeeper.console.panels import attempt, model_of
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import FormValues
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import SignedIn, SignedInToEnrol
from fleetkeeper.identity.actor import Actor

router = APIRouter(prefix="/bookmarks")
SHOWN = "200"
# Of the page that the menu stands on; lists change their address while they are open.
CurrentUrl = Annotated[str, Header(alias="HX-Current-URL", max_length=4000)]
Title = Annotated[str, Query(max_length=1000)]


@router.get("")
async def show_menu(
    actor: SignedInToEnrol, session: Session, title: Title = "", url: CurrentUrl = ""
) -> Response:
    """One's bookmarks; nothing for whoever has a second factor to set up first."""
    if actor.must_enrol_second_factor or actor.user_id is None:
        return Response(status_code=204)
    return await _menu(session, actor, url, title)


@router.post("")
async def add_bookmark(sent: FormValues, actor: SignedIn, session: Session, url: CurrentUrl = "") -> Response:
    """Mark the page that the menu stands on."""
    title = sent.get("title", "")

    async def make() -> BookmarkRead:
        wanted = model_of(BookmarkCreate, {"path": _path_in(url), "title": title[:255]})
        return await service.create_bookmark(session, actor, wanted)

    outcome = await attempt(session, make())
    message = outcome.detail if isinstance(outcome, FleetkeeperError) else ""
    return await _menu(session, actor, url, title, is_open=True, message=message)


@router.post("/{bookmark_id}/delete")
async def remove_bookmark(
    bookmark_id: UUID, sent: FormValues, actor: SignedIn, session: Session, url: CurrentUrl = ""
) -> Response:
    """Remove a mark."""
    await service.delete_bookmark(session, actor, bookmark_id)
    return await _menu(session, actor, url, sent.get("title", ""), is_open=True)


async def _menu(
    session: AsyncSession, actor: Actor, url: str, title: str, *, is_open: bool = False, message: str = ""
) -> Response:
    found = (await service.list_bookmarks(session, actor, [("limit", SHOWN)])).results
    links = tuple(BookmarkLink(one.title, one.path, f"/bookmarks/{one.id}/delete") for one in found)
    here = _path_in(url)
    present = next((one for one in links if one.href == here), None)
    menu = BookmarksMenu(title, present, links, is_open, message, actor.csrf_token or "")
    return render("bookmarks/_menu.html", menu)


def _path_in(url: str) -> str:
    """A page's address within the console."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
