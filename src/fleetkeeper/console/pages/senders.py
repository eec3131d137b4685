"""`/senders`: by which rules the samples of Prometheus, Telegraf and others find their device."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Panel
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import (
    attempt,
    done,
    list_parameters,
    model_of,
    neighbour,
    refuse_in,
    search_of,
    show_page,
)
from fleetkeeper.console.requests import FormValues
from fleetkeeper.console.sender_panels import (
    CONNECT,
    HOME,
    NEW_HOST,
    NEW_RULE,
    REFUSED,
    TRY,
    code_panels,
    connected_panels,
    free_name,
    host_address,
    host_forms,
    host_table,
    new_host_form,
    rule_form,
    rule_table,
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


@router.get("/senders")
async def show_senders(request: Request, actor: ConfigRead, session: Session) -> Response:
    """Rules, hosts, and configurations to paste."""
    return await _page(request, session, actor)


@router.post("/senders/try")
async def try_rules(request: Request, form: FormValues, actor: ConfigRead, session: Session) -> Response:
    """Say which device a sample with these labels would belong to."""

    async def look() -> TrialRead:
        return await service.try_rules(session, actor, model_of(Trial, trial_of(form)))

    outcome = await attempt(session, look())
    if isinstance(outcome, FleetkeeperError):
        return await _page(request, session, actor, TRY, outcome, form)
    return await _page(request, session, actor, trial=outcome, values=form)


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
        return await _page(request, session, actor, NEW_RULE, outcome, form)
    return done(request, HOME)


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
    return done(request, HOME)


@router.post("/senders/rules/{rule_id}/move/{position}")
async def move_rule(
    request: Request, rule_id: UUID, position: int, actor: ConfigWrite, session: Session
) -> Response:
    """Try a rule earlier or later."""
    del actor
    await service.update_rule(session, rule_id, model_of(SenderRuleUpdate, {"position": position}))
    return done(request, HOME)


@router.post("/senders/rules/{rule_id}/enable/{enabled}")
async def enable_rule(
    request: Request, rule_id: UUID, enabled: bool, actor: ConfigWrite, session: Session
) -> Response:
    """Enable or disable a rule."""
    del actor
    await service.update_rule(session, rule_id, SenderRuleUpdate(enabled=enabled))
    return done(request, HOME)


@router.post("/senders/rules/{rule_id}/delete")
async def delete_rule(request: Request, rule_id: UUID, actor: ConfigWrite, session: Session) -> Response:
    """Delete a rule."""
    del actor
    await service.delete_rule(session, rule_id)
    return done(request, HOME)


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
    trial: TrialRead | None = None,
    connected: Sequence[Panel | None] = (),
) -> Response:
    may_write = actor.may(Permission.CONFIG_WRITE)
    may_move = actor.may(Permission.DEVICES_WRITE)
    panels: list[Panel | None] = [
        trial_facts(trial) if trial is not None else None,
        *connected,
        token_form() if actor.may(Permission.TELEMETRY_WRITE) else None,
    ]
    panels += code_panels(public_origin(request))
    if actor.may(Permission.DEVICES_READ):
        parameters = list_parameters(request) if request.method == "GET" else []
        page = await service.list_hosts(session, actor, parameters)
        links = (neighbour(HOME, page.previous), neighbour(HOME, page.next))
        panels.append(host_table(page, links, may_move=may_move))
        panels.append(new_host_form() if may_move else None)
    panels += [
        trial_form(values or {}),
        rule_table((await service.list_rules(session)).results, may_write=may_write),
        rule_form(None, f"{HOME}/rules") if may_write else None,
    ]
    if error is not None:
        panels = refuse_in(panels, form_id, error, values or {})
    search = search_of(request, "Host or device") if request.method == "GET" else None
    status = 200 if error is None else error.status
    below = ((REFUSED, "Refused samples"),) if actor.may(Permission.DEVICES_READ) else ()
    return show_page(actor, HOME, "Integrations", panels, links=below, search=search, status=status)


async def _rule_page(
    session: AsyncSession,
    actor: Actor,
    rule_id: UUID,
    error: FleetkeeperError | None = None,
    values: Mapping[str, str] | None = None,
) -> Response:
    rule = await service.get_rule(session, rule_id)
    panels: list[Panel | None] = [rule_table([rule], may_write=False)]
    if actor.may(Permission.CONFIG_WRITE):
        panels.append(rule_form(rule, f"{HOME}/rules/{rule_id}"))
    if error is not None:
        panels = refuse_in(panels, NEW_RULE, error, values or {})
    return show_page(
        actor,
        HOME,
        f"Rule {rule.position}",
        panels,
        crumbs=((HOME, "Integrations"),),
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
