"""`/senders/rules`: by which rules the samples of Prometheus, Telegraf and others find their device."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Panel
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.showing import SomeRows
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import (
    attempt,
    done,
    model_of,
    refuse_in,
    show_page,
)
from fleetkeeper.console.requests import FormValues
from fleetkeeper.console.sender_lists import RankedRule, rule_facts, rule_list
from fleetkeeper.console.sender_panels import (
    HOME,
    NEW_RULE,
    RULES,
    TRY,
    rule_form,
    rule_values,
    trial_facts,
    trial_form,
    trial_of,
)
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import ConfigRead, ConfigWrite
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry.senders import service
from fleetkeeper.telemetry.senders.schemas import (
    SenderRuleCreate,
    SenderRuleRead,
    SenderRuleUpdate,
    Trial,
    TrialRead,
)

router = APIRouter()
declare(
    Place(
        "/senders/rules",
        "Rules of integrations",
        "filter",
        Permission.CONFIG_READ,
        group="Sources",
        order=25,
        parent="/senders",
        words="sender labels hosts mapping",
    )
)


@router.get(RULES)
async def show_rules(request: Request, actor: ConfigRead, session: Session) -> Response:
    """Rules in their order, and a form to try them."""
    return await _list_page(request, session, actor)


@router.post("/senders/rules/try")
async def try_rules(request: Request, form: FormValues, actor: ConfigRead, session: Session) -> Response:
    """Say which device a sample with these labels would belong to."""

    async def look() -> TrialRead:
        return await service.try_rules(session, actor, model_of(Trial, trial_of(form)))

    outcome = await attempt(session, look())
    if isinstance(outcome, FleetkeeperError):
        return await _list_page(request, session, actor, TRY, outcome, form)
    return await _list_page(request, session, actor, trial=outcome, values=form)


@router.post("/senders/rules")
async def create_rule(request: Request, form: FormValues, actor: ConfigWrite, session: Session) -> Response:
    """Make a rule."""

    async def make() -> SenderRuleRead:
        return await service.create_rule(session, model_of(SenderRuleCreate, rule_values(form)))

    outcome = await attempt(session, make())
    if isinstance(outcome, FleetkeeperError):
        return await _list_page(request, session, actor, NEW_RULE, outcome, form)
    return done(request, RULES)


@router.get("/senders/rules/{rule_id}")
async def show_rule(rule_id: UUID, actor: ConfigRead, session: Session) -> Response:
    """One rule."""
    return await _rule_page(session, actor, rule_id)


@router.post("/senders/rules/{rule_id}")
async def change_rule(
    request: Request, rule_id: UUID, form: FormValues, actor: ConfigWrite, session: Session
) -> Response:
    """Change a rule; one that is moved, enabled or disabled in the list sends that alone."""

    async def change() -> SenderRuleRead:
        changes = model_of(SenderRuleUpdate, rule_values(form))
        return await service.update_rule(session, rule_id, changes)

    outcome = await attempt(session, change())
    if isinstance(outcome, FleetkeeperError):
        return await _rule_page(session, actor, rule_id, outcome, form)
    return done(request, RULES)


@router.post("/senders/rules/{rule_id}/move/{position}")
async def move_rule(
    request: Request, rule_id: UUID, position: int, actor: ConfigWrite, session: Session
) -> Response:
    """Try a rule earlier or later."""
    del actor
    await service.update_rule(session, rule_id, model_of(SenderRuleUpdate, {"position": position}))
    return done(request, RULES)


@router.post("/senders/rules/{rule_id}/enable/{enabled}")
async def enable_rule(
    request: Request, rule_id: UUID, enabled: bool, actor: ConfigWrite, session: Session
) -> Response:
    """Enable or disable a rule."""
    del actor
    await service.update_rule(session, rule_id, SenderRuleUpdate(enabled=enabled))
    return done(request, RULES)


@router.post("/senders/rules/{rule_id}/delete")
async def delete_rule(request: Request, rule_id: UUID, actor: ConfigWrite, session: Session) -> Response:
    """Delete a rule."""
    del actor
    await service.delete_rule(session, rule_id)
    return done(request, RULES)


async def _list_page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    form_id: str = "",
    error: FleetkeeperError | None = None,
    values: Mapping[str, str] | None = None,
    trial: TrialRead | None = None,
) -> Response:
    may_write = actor.may(Permission.CONFIG_WRITE)
    panels: list[Panel | None] = [
        trial_facts(trial) if trial is not None else None,
        rule_form(None, RULES) if may_write else None,
    ]
    trying: list[Panel | None] = [trial_form(values or {})]
    if error is not None:
        panels, trying = (refuse_in(one, form_id, error, values or {}) for one in (panels, trying))

    async def fetch(parameters: list[tuple[str, str]]) -> SomeRows:
        page = await service.list_rules(session, parameters)
        rows = [RankedRule(one, page.count) for one in page.results]
        return SomeRows(rows, page.count, page.next, page.previous)

    return await show_list(
        request,
        session,
        actor,
        rule_list(may_write=may_write),
        fetch,
        before=panels,
        after=trying,
        crumbs=((HOME, "Integrations"),),
        status=200 if error is None else error.status,
    )


async def _rule_page(
    session: AsyncSession,
    actor: Actor,
    rule_id: UUID,
    error: FleetkeeperError | None = None,
    values: Mapping[str, str] | None = None,
) -> Response:
    rule = await service.get_rule(session, rule_id)
    panels: list[Panel | None] = [rule_facts(rule)]
    if actor.may(Permission.CONFIG_WRITE):
        panels.append(rule_form(rule, f"{RULES}/{rule_id}"))
    if error is not None:
        panels = refuse_in(panels, NEW_RULE, error, values or {})
    return show_page(
        actor,
        HOME,
        f"Rule {rule.position}",
        panels,
        crumbs=((HOME, "Integrations"), (RULES, "Rules")),
        status=200 if error is None else error.status,
    )
