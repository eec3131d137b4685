"""`/notifications`: channels, rules and the delivery log."""

from dataclasses import replace
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.audit_entries import history_links
from fleetkeeper.console.contexts.panels import EntryForm, Option, Panel, Secret
from fleetkeeper.console.forms.form import version_in
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.notification_panels import (
    CHANGE_CHANNEL,
    EVERYBODY,
    HOME,
    NEW_CHANNEL,
    NEW_SECRET,
    TEST,
    channel_facts,
    channel_table,
    delivery_list,
    enabled_tags,
    new_channel_form,
    rule_table,
    test_facts,
)
from fleetkeeper.console.notification_rules import new_rule_form
from fleetkeeper.console.panels import Sent, attempt, department_options, done, refuse_in, show_page
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.oidc.access import InstallationSealer
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.notifications.access import NotificationsRead, NotificationsWrite, Sending
from fleetkeeper.notifications.channels import service as channels
from fleetkeeper.notifications.channels.schemas import ChannelKind, ChannelRead, ChannelWithSecret
from fleetkeeper.notifications.deliveries import service as deliveries
from fleetkeeper.notifications.rules import service as rules

router = APIRouter(prefix=HOME)
SHOWN = (("limit", "200"),)
declare(
    Place(
        HOME,
        "Notifications",
        "bell",
        Permission.NOTIFICATIONS_READ,
        group="System",
        order=75,
        key="f",
        words="channels rules webhooks email smtp chat deliveries alerts",
    )
)


@router.get("")
async def show_notifications(request: Request, actor: NotificationsRead, session: Session) -> Response:
    """Channels, rules and deliveries."""
    return await _home(request, session, actor)


@router.post("/channels/{kind}")
async def create_channel(
    request: Request,
    kind: ChannelKind,
    sent: FormLists,
    actor: NotificationsWrite,
    session: Session,
    sealer: InstallationSealer,
) -> Response:
    """Create a channel; the signing secret that was made for it is shown this one time."""

    async def make() -> ChannelWithSecret:
        return await channels.create_channel(session, sealer, actor, NEW_CHANNEL[kind].read(sent))

    outcome = await attempt(session, make())
    if isinstance(outcome, FleetkeeperError):
        return await _home(request, session, actor, f"new-{kind}", outcome, sent)
    if outcome.signing_secret is not None:
        return await _channel(session, actor, outcome.id, [_secret(outcome)])
    return done(request, f"{HOME}/channels/{outcome.id}")


@router.get("/channels/{channel_id}")
async def show_channel(channel_id: UUID, actor: NotificationsRead, session: Session) -> Response:
    """One channel."""
    return await _channel(session, actor, channel_id)


@router.post("/channels/{channel_id}/change")
async def change_channel(
    request: Request,
    channel_id: UUID,
    sent: FormLists,
    actor: NotificationsWrite,
    session: Session,
    sealer: InstallationSealer,
) -> Response:
    """Change a channel."""

    async def change() -> ChannelRead:
        present = await channels.get_channel(session, actor, channel_id)
        changes = CHANGE_CHANNEL[present.kind].read(sent)
        version = version_in(sent)
        return await channels.update_channel(
            session, sealer, actor, channel_id, changes, expected_version=version
        )

    outcome = await attempt(session, change())
    return await _outcome(request, session, actor, channel_id, "change", outcome, sent)


@router.post("/channels/{channel_id}/secret")
async def change_secret(
    request: Request,
    channel_id: UUID,
    sent: FormLists,
    actor: NotificationsWrite,
    session: Session,
    sealer: InstallationSealer,
) -> Response:
    """Enter another password, or another address of a chat service; a webhook gets a secret that is made for it."""
    present = await channels.get_channel(session, actor, channel_id)
    form = NEW_SECRET.get(present.kind)
    if form is None:
        rotated = await channels.rotate_secret(session, sealer, actor, channel_id)
        return await _channel(session, actor, channel_id, [_secret(rotated)])

    async def change() -> ChannelRead:
        return await channels.update_channel(session, sealer, actor, channel_id, form.read(sent))

    outcome = await attempt(session, change())
    return await _outcome(request, session, actor, channel_id, "secret", outcome, sent)


@router.post("/channels/{channel_id}/test")
async def send_test(
    channel_id: UUID, sent: FormLists, actor: NotificationsWrite, session: Session, outgoing: Sending
) -> Response:
    """Send a test and show how it went."""
    try:
        wanted = TEST.read(sent)
        outcome = await channels.try_channel(session, actor, outgoing, channel_id, wanted.recipient)
    except FleetkeeperError as error:
        return await _channel(session, actor, channel_id, form_id="test", error=error, sent=sent)
    return await _channel(session, actor, channel_id, [test_facts(outcome)])


@router.post("/channels/{channel_id}/delete")
async def delete_channel(
    request: Request, channel_id: UUID, actor: NotificationsWrite, session: Session
) -> Response:
    """Delete a channel."""
    await channels.delete_channel(session, actor, channel_id)
    return done(request, HOME)


@router.post("/deliveries/{delivery_id}/replay")
async def replay(
    request: Request, delivery_id: UUID, actor: NotificationsWrite, session: Session
) -> Response:
    """Send a delivery once more."""
    await deliveries.replay(session, actor, delivery_id)
    return done(request, HOME)


async def _home(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    form_id: str = "",
    error: FleetkeeperError | None = None,
    sent: Sent | None = None,
) -> Response:
    may_write = actor.may(Permission.NOTIFICATIONS_WRITE)
    known = (await channels.list_channels(session, actor, SHOWN)).results
    names = {one.id: one.path for one in await all_departments(session, actor)}
    before: list[Panel | None] = [
        channel_table(known, names),
        rule_table((await rules.list_rules(session, actor, SHOWN)).results, names),
    ]
    if may_write:
        places = await writable_departments(session, actor)
        before += [new_channel_form(kind, places) for kind in ChannelKind]
        before.append(await new_rule_form(session, actor, known, places) if known else None)
    if error is not None:
        before = refuse_in(before, form_id, error, sent or {})
    page = delivery_list(may_write=may_write)
    fetch = partial(deliveries.list_deliveries, session, actor)
    status = 200 if error is None else error.status
    return await show_list(request, session, actor, page, fetch, before=before, status=status)


async def writable_departments(session: AsyncSession, actor: Actor) -> tuple[Option, ...]:
    """Where the actor may write."""
    found = await all_departments(session, actor, Permission.NOTIFICATIONS_WRITE)
    nothing = EVERYBODY if actor.may_everywhere(Permission.NOTIFICATIONS_WRITE) else None
    return department_options(found, nothing=nothing)


async def _outcome(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    channel_id: UUID,
    form_id: str,
    outcome: object,
    sent: Sent,
) -> Response:
    if not isinstance(outcome, FleetkeeperError):
        return done(request, f"{HOME}/channels/{channel_id}")
    return await _channel(session, actor, channel_id, form_id=form_id, error=outcome, sent=sent)


async def _channel(
    session: AsyncSession,
    actor: Actor,
    channel_id: UUID,
    first: list[Panel] | None = None,
    *,
    form_id: str = "",
    error: FleetkeeperError | None = None,
    sent: Sent | None = None,
) -> Response:
    channel = await channels.get_channel(session, actor, channel_id)
    names = {one.id: one.path for one in await all_departments(session, actor)}
    panels: list[Panel | None] = [*(first or []), channel_facts(channel, names)]
    if actor.may_in(Permission.NOTIFICATIONS_WRITE, channel.department_id):
        panels += _forms(channel)
    if error is not None:
        panels = refuse_in(panels, form_id, error, sent or {})
    return show_page(
        actor,
        HOME,
        channel.name,
        panels,
        crumbs=((HOME, "Notifications"),),
        links=history_links(actor, "notification_channels", channel.id),
        tags=enabled_tags(is_enabled=channel.enabled),
        status=200 if error is None else error.status,
    )


def _forms(channel: ChannelRead) -> list[Panel | None]:
    base = f"{HOME}/channels/{channel.id}"
    test = TEST.shown(f"{base}/test", is_open=True)
    if channel.kind != ChannelKind.EMAIL:
        test = replace(test, entries=())
    secret = NEW_SECRET.get(channel.kind)
    rotate = EntryForm(
        "secret",
        "Rotate signing secret",
        f"{base}/secret",
        "Create new secret",
        text="For 24 hours deliveries carry the signatures of both secrets.",
    )
    delete = EntryForm(
        "delete",
        "Delete channel",
        f"{base}/delete",
        "Delete channel",
        text="Its rules and its delivery log are deleted with it.",
        is_danger=True,
    )
    return [
        test,
        CHANGE_CHANNEL[channel.kind].shown(f"{base}/change", channel, version=channel.version),
        secret.shown(f"{base}/secret") if secret else rotate,
        delete,
    ]


def _secret(channel: ChannelWithSecret) -> Secret:
    return Secret(
        "signing-secret",
        "Signing secret",
        channel.signing_secret or "",
        "Copy it now: it is shown only once. The receiver verifies signatures with it.",
    )
