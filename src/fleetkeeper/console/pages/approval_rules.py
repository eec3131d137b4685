"""`/approvals/rules`: which actions wait for approval, and whose."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.access import ApprovalsRead, ApprovalsWrite
from fleetkeeper.approvals.rules import service
from fleetkeeper.approvals.rules.schemas import ApprovalRuleCreate, ApprovalRuleRead, ApprovalRuleUpdate
from fleetkeeper.approvals.rules.service import LISTING
from fleetkeeper.console.approval_panels import HOME, approvers_text
from fleetkeeper.console.approval_rules import (
    CHANGE,
    MOST_LEVELS,
    NEW,
    change_form,
    in_form,
    new_form,
    values_of,
)
from fleetkeeper.console.audit_entries import history_links
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail
from fleetkeeper.console.forms.form import version_in
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.notification_panels import enabled_tags
from fleetkeeper.console.panels import done, model_of, refused, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

RULES = f"{HOME}/rules"
router = APIRouter(prefix=RULES)
declare(
    Place(
        RULES,
        "Approval rules",
        "shield-lock",
        Permission.APPROVALS_READ,
        order=31,
        parent=HOME,
        words="second person levels escalation threshold",
    )
)
RULE_LIST: ListPage[ApprovalRuleRead] = ListPage(
    path=RULES,
    title="Approval rules",
    noun=("rule", "rules"),
    listing=LISTING,
    search="Name",
    columns=(
        Column(
            "name",
            "Rule",
            lambda one: Cell(one.name, f"{RULES}/{one.id}", tags=enabled_tags(is_enabled=one.enabled)),
            sort="name",
        ),
        Column("kind", "Action", lambda one: Cell(one.title), sort="kind"),
        Column("threshold", "From", lambda one: Cell(_threshold(one), is_soft=True)),
        Column("levels", "Levels", lambda one: Cell(str(len(one.levels)))),
        Column("expires", "Expires after", lambda one: Cell(f"{one.expires_hours} h")),
        Column("position", "Position", lambda one: Cell(str(one.position)), sort="position"),
    ),
    text="The first rule that matches an action applies. Without a rule, actions are carried out at once.",
    empty=Empty("No approval rules yet", "A rule makes actions wait until other people have approved them."),
)


@router.get("")
async def list_rules(request: Request, actor: ApprovalsRead, session: Session) -> Response:
    """All rules."""
    form = await new_form(session, actor, RULES) if actor.may(Permission.APPROVALS_WRITE) else None
    return await show_list(
        request, session, actor, RULE_LIST, partial(service.list_rules, session), before=[form]
    )


@router.post("")
async def create_rule(request: Request, sent: FormLists, actor: ApprovalsWrite, session: Session) -> Response:
    """Create a rule."""

    async def make() -> ApprovalRuleRead:
        wanted = model_of(ApprovalRuleCreate, await values_of(session, actor, NEW, sent))
        return await service.create_rule(session, wanted)

    async def again(error: FleetkeeperError) -> Response:
        form = refused(await new_form(session, actor, RULES), in_form(error), sent)
        fetch = partial(service.list_rules, session)
        return await show_list(request, session, actor, RULE_LIST, fetch, before=[form], status=error.status)

    return await submit(request, session, make(), lambda made: f"{RULES}/{made.id}", again)


@router.get("/{rule_id}")
async def show_rule(request: Request, rule_id: UUID, actor: ApprovalsRead, session: Session) -> Response:
    """One rule."""
    return await _page(request, session, actor, rule_id)


@router.post("/{rule_id}")
async def change_rule(
    request: Request, rule_id: UUID, sent: FormLists, actor: ApprovalsWrite, session: Session
) -> Response:
    """Change a rule."""

    async def change() -> ApprovalRuleRead:
        changes = model_of(ApprovalRuleUpdate, await values_of(session, actor, CHANGE, sent))
        return await service.update_rule(session, rule_id, changes, expected_version=version_in(sent))

    async def again(error: FleetkeeperError) -> Response:
        refusal = Refusal(CHANGE.id, in_form(error), sent, "settings")
        return await _page(request, session, actor, rule_id, refusal)

    return await submit(request, session, change(), lambda made: f"{RULES}/{made.id}", again)


@router.post("/{rule_id}/delete")
async def delete_rule(request: Request, rule_id: UUID, actor: ApprovalsWrite, session: Session) -> Response:
    """Delete a rule."""
    del actor
    await service.delete_rule(session, rule_id)
    return done(request, RULES)


async def _page(
    request: Request, session: AsyncSession, actor: Actor, rule_id: UUID, refusal: Refusal | None = None
) -> Response:
    rule = await service.get_rule(session, rule_id)

    async def overview() -> Panels:
        names = await service.names_of(session, [*rule.levels, rule.escalation])
        levels = (
            (f"Level {number}", Cell(approvers_text(one, names), detail=f"{one.minimum} must approve"))
            for number, one in enumerate(rule.levels, 1)
        )
        hours = rule.escalation_hours
        escalation = f"after {hours} h to {approvers_text(rule.escalation, names)}" if hours else "Never"
        facts = (
            ("Action", Cell(rule.title)),
            ("From", Cell(_threshold(rule))),
            *levels,
            ("Order of levels", Cell(rule.mode.capitalize())),
            ("Expires", Cell(f"after {rule.expires_hours} h")),
            ("Escalates", Cell(escalation)),
        )
        return [Facts("rule", "Rule", facts)]

    async def settings() -> Panels:
        delete = EntryForm(
            "delete",
            "Delete rule",
            f"{RULES}/{rule.id}/delete",
            "Delete rule",
            text="Waiting requests still need its approvals.",
            is_danger=True,
        )
        is_simple = len(rule.levels) <= MOST_LEVELS
        form = await change_form(session, actor, f"{RULES}/{rule.id}", rule) if is_simple else None
        return [form, delete]

    return await show_detail(
        request,
        actor,
        RULES,
        rule.name,
        [
            Tab("overview", "Overview", overview),
            Tab("settings", "Settings", settings) if actor.may(Permission.APPROVALS_WRITE) else None,
            history_tab(session, actor, "approval_rules", rule.id),
        ],
        crumbs=((HOME, "Approvals"), (RULES, "Approval rules")),
        tags=enabled_tags(is_enabled=rule.enabled),
        links=history_links(actor, "approval_rules", rule.id),
        refusal=refusal,
    )


def _threshold(rule: ApprovalRuleRead) -> str:
    return "Always" if rule.threshold is None else f"{rule.threshold:,.0f} {rule.unit}"
