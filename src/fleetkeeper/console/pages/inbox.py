"""`/notifications/inbox` and `/account/notifications`: what one has to read, and how one wants to be told."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.contexts.notifications import Unread
from fleetkeeper.console.contexts.panels import EntryForm
from fleetkeeper.console.contexts.shell import ACCOUNT
from fleetkeeper.console.inbox_panels import INBOX, PREFERENCE_FORM, PREFERENCES, inbox_list
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import attempt, done, refused, show_page
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import SignedIn, SignedInToEnrol
from fleetkeeper.notifications.inbox import service
from fleetkeeper.notifications.preferences import service as preferences
from fleetkeeper.notifications.preferences.schemas import Preferences

router = APIRouter()
declare(
    Place(
        INBOX, "Inbox", "bell", None, group=ACCOUNT, order=20, parent="/account", words="notifications unread"
    )
)
declare(
    Place(
        PREFERENCES,
        "Notification preferences",
        "settings",
        None,
        group=ACCOUNT,
        order=30,
        parent="/account",
        words="email quiet hours digest mute",
    )
)


@router.get(INBOX)
async def show_inbox(request: Request, actor: SignedIn, session: Session) -> Response:
    """One's own notifications."""
    unread = await service.count_unread(session, actor)
    mark = EntryForm(
        "mark-all",
        f"{unread} unread",
        f"{INBOX}/read",
        "Mark all as read",
        is_open=True,
    )
    fetch = partial(service.list_notifications, session, actor)
    return await show_list(request, session, actor, inbox_list(), fetch, before=[mark if unread else None])


@router.get("/notifications/unread")
async def show_unread(actor: SignedInToEnrol, session: Session) -> Response:
    """The number at the bell; whoever has a second factor to set up has no other way out of that page than to do so."""
    if actor.must_enrol_second_factor:
        return render("notifications/_unread.html", Unread(0))
    return render("notifications/_unread.html", Unread(await service.count_unread(session, actor)))


@router.post(f"{INBOX}/read")
async def mark_all_read(request: Request, actor: SignedIn, session: Session) -> Response:
    """Mark all as read."""
    await service.mark_all_read(session, actor)
    return done(request, INBOX)


@router.post(f"{INBOX}/{{notification_id}}/read")
async def mark_read(request: Request, notification_id: UUID, actor: SignedIn, session: Session) -> Response:
    """Mark one as read."""
    await service.mark_read(session, actor, notification_id)
    return done(request, INBOX)


@router.get(PREFERENCES)
async def show_preferences(actor: SignedIn, session: Session) -> Response:
    """How one wants to be told."""
    present = await preferences.read_preferences(session, actor)
    form = PREFERENCE_FORM.shown(PREFERENCES, present, is_open=True)
    return show_page(actor, PREFERENCES, "Notification preferences", [form])


@router.post(PREFERENCES)
async def change_preferences(
    request: Request, sent: FormLists, actor: SignedIn, session: Session
) -> Response:
    """Choose how one wants to be told."""

    async def change() -> Preferences:
        return await preferences.write_preferences(session, actor, PREFERENCE_FORM.read(sent))

    outcome = await attempt(session, change())
    if not isinstance(outcome, FleetkeeperError):
        return done(request, PREFERENCES)
    form = refused(PREFERENCE_FORM.shown(PREFERENCES), outcome, sent)
    return show_page(actor, PREFERENCES, "Notification preferences", [form], status=outcome.status)
