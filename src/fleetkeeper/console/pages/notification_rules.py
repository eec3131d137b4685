"""`/notifications/rules`: creating, changing and deleting rules."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.audit_entries import history_links
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Panel
from fleetkeeper.console.forms.form import version_in
from fleetkeeper.console.notification_panels import (
    CHANGE_RULE,
    HOME,
    NEW_RULE,
    enabled_tags,
    events_of,
    recipients_of,
)
from fleetkeeper.console.notification_rules import change_rule_form, new_rule_form, with_user_ids
from fleetkeeper.console.pages.notifications import SHOWN, writable_departments
from fleetkeeper.console.panels import Sent, attempt, done, refuse_in, refused, show_page
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.notifications.access import NotificationsRead, NotificationsWrite
from fleetkeeper.notifications.channels import service as channels
from fleetkeeper.notifications.rules import service
from fleetkeeper.notifications.rules.schemas import RuleRead

router = APIRouter(prefix=f"{HOME}/rules")


@router.post("")
async def create_rule(
    request: Request, sent: FormLists, actor: NotificationsWrite, session: Session
) -> Response:
    """Create a rule."""

    async def make() -> RuleRead:
        wanted = NEW_RULE.read(await with_user_ids(session, actor, sent))
        return await service.create_rule(session, actor, wanted)

    outcome = await attempt(session, make())
    if not isinstance(outcome, FleetkeeperError):
        return done(request, HOME)
    known = (await channels.list_channels(session, actor, SHOWN)).results
    places = await writable_departments(session, actor)
    form = refused(await new_rule_form(session, actor, known, places), outcome, sent)
    crumbs = ((HOME, "Notifications"),)
    return show_page(actor, HOME, "Create rule", [form], crumbs=crumbs, status=outcome.status)


@router.get("/{rule_id}")
async def show_rule(rule_id: UUID, actor: NotificationsRead, session: Session) -> Response:
    """One rule."""
    return await _page(session, actor, rule_id)


@router.post("/{rule_id}")
async def change_rule(
    request: Request, rule_id: UUID, sent: FormLists, actor: NotificationsWrite, session: Session
) -> Response:
    """Change a rule."""

    async def change() -> RuleRead:
        form = await _form(session, actor, await service.get_rule(session, actor, rule_id))
        only = [entry.name for entry in form.entries if entry.name in CHANGE_RULE.widgets]
        changes = CHANGE_RULE.read(await with_user_ids(session, actor, sent), only=only)
        return await service.update_rule(session, actor, rule_id, changes, expected_version=version_in(sent))

    outcome = await attempt(session, change())
    if not isinstance(outcome, FleetkeeperError):
        return done(request, f"{HOME}/rules/{rule_id}")
    return await _page(session, actor, rule_id, outcome, sent)


@router.post("/{rule_id}/delete")
async def delete_rule(
    request: Request, rule_id: UUID, actor: NotificationsWrite, session: Session
) -> Response:
    """Delete a rule."""
    await service.delete_rule(session, actor, rule_id)
    return done(request, HOME)


async def _form(session: AsyncSession, actor: Actor, rule: RuleRead) -> EntryForm:
    known = (await channels.list_channels(session, actor, SHOWN)).results
    return await change_rule_form(session, actor, rule, known)


async def _page(
    session: AsyncSession,
    actor: Actor,
    rule_id: UUID,
    error: FleetkeeperError | None = None,
    sent: Sent | None = None,
) -> Response:
    rule = await service.get_rule(session, actor, rule_id)
    facts = (
        ("Events", Cell(events_of(rule))),
        ("Minimum severity", Cell(rule.minimum_severity)),
        ("Channel", Cell(rule.channel, f"{HOME}/channels/{rule.channel_id}")),
        ("Recipients", Cell(recipients_of(rule))),
    )
    panels: list[Panel | None] = [Facts("rule", "Rule", facts)]
    if actor.may_in(Permission.NOTIFICATIONS_WRITE, rule.department_id):
        delete = EntryForm(
            "delete", "Delete rule", f"{HOME}/rules/{rule.id}/delete", "Delete rule", is_danger=True
        )
        panels += [await _form(session, actor, rule), delete]
    if error is not None:
        panels = refuse_in(panels, CHANGE_RULE.id, error, sent or {})
    return show_page(
        actor,
        HOME,
        rule.name,
        panels,
        crumbs=((HOME, "Notifications"),),
        links=history_links(actor, "notification_rules", rule.id),
        tags=enabled_tags(is_enabled=rule.enabled),
        status=200 if error is None else error.status,
    )
