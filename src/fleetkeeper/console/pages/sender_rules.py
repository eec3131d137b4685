"""`/senders/rules`: by which rules the samples of Prometheus, Telegraf and others find their device."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Panel
from fleetkeeper.console.details import Refusal
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.showing import SomeRows
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import (
    attempt,
    done,
    model_of,
    refuse_in,
    show_page,
    submit,
)
from fleetkeeper.console.requests import FormLists
from fleetkeeper.console.sender_forms import (
    CHANGE_RULE,
    HOME,
    NEW_RULE,
    RULES,
    TRY,
    TrialForm,
    rule_form,
    trial_form,
)
from fleetkeeper.console.sender_lists import RankedRule, rule_facts, rule_list
from fleetkeeper.console.sender_panels import trial_facts
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import ConfigRead, ConfigWrite
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry.senders import service
from fleetkeeper.telemetry.senders.schemas import (
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
async def try_rules(request: Request, sent: FormLists, actor: ConfigRead, session: Session) -> Response:
    """Say which device a sample with these labels would belong to."""

    async def look() -> tuple[TrialForm, TrialRead]:
        entered = TRY.read(sent)
        return entered, await service.try_rules(session, actor, model_of(Trial, entered.trial()))

    outcome = await attempt(session, look())
    if isinstance(outcome, FleetkeeperError):
        return await _list_page(request, session, actor, refusal=Refusal(TRY.id, outcome, sent))
    return await _list_page(request, session, actor, tried=outcome)


@router.post("/senders/rules")
async def create_rule(request: Request, sent: FormLists, actor: ConfigWrite, session: Session) -> Response:
    """Make a rule."""

    async def make() -> SenderRuleRead:
        return await service.create_rule(session, NEW_RULE.read(sent))

    async def again(error: FleetkeeperError) -> Response:
        return await _list_page(request, session, actor, refusal=Refusal(NEW_RULE.id, error, sent))

    return await submit(request, session, make(), lambda _: RULES, again)


@router.get("/senders/rules/{rule_id}")
async def show_rule(rule_id: UUID, actor: ConfigRead, session: Session) -> Response:
    """One rule."""
    return await _rule_page(session, actor, rule_id)


@router.post("/senders/rules/{rule_id}")
async def change_rule(
    request: Request, rule_id: UUID, sent: FormLists, actor: ConfigWrite, session: Session
) -> Response:
    """Change a rule."""

    async def change() -> SenderRuleRead:
        return await service.update_rule(session, rule_id, CHANGE_RULE.read(sent))

    async def again(error: FleetkeeperError) -> Response:
        return await _rule_page(session, actor, rule_id, Refusal(CHANGE_RULE.id, error, sent))

    return await submit(request, session, change(), lambda _: RULES, again)


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
    *,
    tried: tuple[TrialForm, TrialRead] | None = None,
    refusal: Refusal | None = None,
) -> Response:
    may_write = actor.may(Permission.CONFIG_WRITE)
    entered, trial = tried or (None, None)
    panels: list[Panel | None] = [
        trial_facts(trial) if trial is not None else None,
        rule_form(None, RULES) if may_write else None,
    ]
    trying: list[Panel | None] = [trial_form(entered)]
    if refusal is not None:
        panels, trying = (
            refuse_in(one, refusal.form_id, refusal.error, refusal.sent) for one in (panels, trying)
        )

    async def fetch(parameters: list[tuple[str, str]]) -> SomeRows:
        page = await service.list_rules(session, parameters)
        rows = [RankedRule(one, page.count) for one in page.results]
        return SomeRows.of(page, rows)

    return await show_list(
        request,
        session,
        actor,
        rule_list(may_write=may_write),
        fetch,
        before=panels,
        after=trying,
        crumbs=((HOME, "Integrations"),),
        status=200 if refusal is None else refusal.error.status,
    )


async def _rule_page(
    session: AsyncSession,
    actor: Actor,
    rule_id: UUID,
    refusal: Refusal | None = None,
) -> Response:
    rule = await service.get_rule(session, rule_id)
    panels: list[Panel | None] = [rule_facts(rule)]
    if actor.may(Permission.CONFIG_WRITE):
        panels.append(rule_form(rule, f"{RULES}/{rule_id}"))
    if refusal is not None:
        panels = refuse_in(panels, refusal.form_id, refusal.error, refusal.sent)
    return show_page(
        actor,
        HOME,
        f"Rule {rule.position}",
        panels,
        crumbs=((HOME, "Integrations"), (RULES, "Rules")),
        status=200 if refusal is None else refusal.error.status,
    )
