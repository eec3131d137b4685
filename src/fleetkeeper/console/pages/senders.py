"""`/senders`: by which rules the samples of Prometheus, Telegraf and others find their device."""

from collections.abc import Mapping, Sequence
from functools import partial
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
from fleetkeeper.console.sender_lists import RankedRule, host_list, rule_facts, rule_list
from fleetkeeper.console.sender_panels import (
    CONNECT,
    HOME,
    NEW_HOST,
    NEW_RULE,
    REFUSED,
    RULES,
    TRY,
    code_panels,
    connected_panels,
    free_name,
    host_address,
    host_forms,
    new_host_form,
    rule_form,
    rule_values,
    source_of,
    token_form,
    trial_facts,
    trial_form,
    trial_of,
)
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesWrite
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import ConfigRead, ConfigWrite, public_origin
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.tokens import service as tokens
from fleetkeeper.identity.tokens.schemas import TokenCreate, TokenCreated
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry.senders import service
from fleetkeeper.telemetry.senders.schemas import (
    HostCreate,
    HostRead,
    HostUpdate,
    SenderRuleCreate,
    SenderRuleRead,
    SenderRuleUpdate,
    Trial,
    TrialRead,
)

router = APIRouter()
declare(
    Place(
        "/senders",
        "Integrations",
        "network",
        Permission.CONFIG_READ,
        group="Sources",
        order=20,
        key="n",
        words="senders prometheus telegraf influx opentelemetry otlp collectd remote write",
    )
)
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


@router.get("/senders")
async def show_senders(request: Request, actor: ConfigRead, session: Session) -> Response:
    """Hosts, and configurations to paste."""
    return await _page(request, session, actor)


@router.get(RULES)
async def show_rules(request: Request, actor: ConfigRead, session: Session) -> Response:
    """Rules in their order, and a form to try them."""
    return await _rules_page(request, session, actor)


@router.post("/senders/rules/try")
async def try_rules(request: Request, form: FormValues, actor: ConfigRead, session: Session) -> Response:
    """Say which device a sample with these labels would belong to."""

    async def look() -> TrialRead:
        return await service.try_rules(session, actor, model_of(Trial, trial_of(form)))

    outcome = await attempt(session, look())
    if isinstance(outcome, FleetkeeperError):
        return await _rules_page(request, session, actor, TRY, outcome, form)
    return await _rules_page(request, session, actor, trial=outcome, values=form)


@router.post("/senders/connect")
async def connect_source(request: Request, form: FormValues, actor: ConfigRead, session: Session) -> Response:
    """Make a token that sends telemetry and nothing else, and show it this one time, in the source's configuration."""

    async def make() -> TokenCreated:
        source = source_of(form)
        alike = await tokens.list_tokens(
            session, actor, [("name__contains", source), ("limit", "1000")], own=True
        )
        name = free_name(source, {one.name for one in alike.results})
        wanted = model_of(TokenCreate, {"name": name, "permissions": [Permission.TELEMETRY_WRITE]})
        return await tokens.create_own_token(session, actor, wanted, utc_now())

    outcome = await attempt(session, make())
    if isinstance(outcome, FleetkeeperError):
        return await _page(request, session, actor, CONNECT, outcome, form)
    connected = connected_panels(public_origin(request), source_of(form), outcome)
    return await _page(request, session, actor, connected=connected)


@router.post("/senders/rules")
async def create_rule(request: Request, form: FormValues, actor: ConfigWrite, session: Session) -> Response:
    """Make a rule."""

    async def make() -> SenderRuleRead:
        return await service.create_rule(session, model_of(SenderRuleCreate, rule_values(form)))

    outcome = await attempt(session, make())
    if isinstance(outcome, FleetkeeperError):
        return await _rules_page(request, session, actor, NEW_RULE, outcome, form)
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


@router.post("/senders/hosts")
async def add_host(request: Request, form: FormValues, actor: DevicesWrite, session: Session) -> Response:
    """Say in advance which device a host is."""

    async def add() -> HostRead:
        device = await find_device(session, actor, form.get("device", "").strip())
        wanted = model_of(HostCreate, {"host": form.get("host", ""), "device_id": device})
        return await service.add_host(session, actor, wanted)

    outcome = await attempt(session, add())
    if isinstance(outcome, FleetkeeperError):
        return await _page(request, session, actor, NEW_HOST, outcome, form)
    return done(request, HOME)


@router.get("/senders/hosts/{host:path}")
async def show_host(
    host: str, actor: ConfigRead, session: Session, device_id: UUID | None = None
) -> Response:
    """One host, and which device it is."""
    return await _host_page(session, actor, host, device_id)


@router.post("/senders/hosts/move/{host:path}")
async def move_host(
    request: Request,
    host: str,
    form: FormValues,
    actor: DevicesWrite,
    session: Session,
    device_id: UUID | None = None,
) -> Response:
    """Let a host be another device from now on."""

    async def move() -> HostRead:
        device = await find_device(session, actor, form.get("device", "").strip())
        return await service.move_host(session, actor, host, HostUpdate(device_id=device), device_id)

    outcome = await attempt(session, move())
    if isinstance(outcome, FleetkeeperError):
        return await _host_page(session, actor, host, device_id, outcome, form)
    return done(request, host_address(outcome))


@router.post("/senders/hosts/forget/{host:path}")
async def forget_host(
    request: Request, host: str, actor: DevicesWrite, session: Session, device_id: UUID | None = None
) -> Response:
    """Forget which device a host is."""
    await service.forget_host(session, actor, host, device_id)
    return done(request, HOME)


async def _page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    form_id: str = "",
    error: FleetkeeperError | None = None,
    values: Mapping[str, str] | None = None,
    connected: Sequence[Panel | None] = (),
) -> Response:
    may_move = actor.may(Permission.DEVICES_WRITE)
    before: list[Panel | None] = [
        *connected,
        token_form() if actor.may(Permission.TELEMETRY_WRITE) else None,
    ]
    after: list[Panel | None] = [new_host_form() if may_move else None, *code_panels(public_origin(request))]
    if error is not None:
        before, after = (refuse_in(panels, form_id, error, values or {}) for panels in (before, after))
    links = [(RULES, "Rules")]
    status = 200 if error is None else error.status
    if not actor.may(Permission.DEVICES_READ):
        panels = [*before, *after]
        return show_page(actor, HOME, "Integrations", panels, links=links, status=status)
    return await show_list(
        request,
        session,
        actor,
        host_list(may_move=may_move),
        partial(service.list_hosts, session, actor),
        before=before,
        after=after,
        links=[*links, (REFUSED, "Refused samples")],
        status=status,
    )


async def _rules_page(
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


async def _host_page(
    session: AsyncSession,
    actor: Actor,
    host: str,
    device_id: UUID | None,
    error: FleetkeeperError | None = None,
    values: Mapping[str, str] | None = None,
) -> Response:
    known = await service.get_host(session, actor, host, device_id)
    panels: list[Panel | None] = [*host_forms(known, may_move=actor.may(Permission.DEVICES_WRITE))]
    if error is not None:
        panels = refuse_in(panels, "move", error, values or {})
    return show_page(
        actor,
        HOME,
        known.host,
        panels,
        crumbs=((HOME, "Integrations"),),
        status=200 if error is None else error.status,
    )
