"""`/senders`: what sends from outside, its hosts, and configurations to paste."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Panel
from fleetkeeper.console.details import Refusal
from fleetkeeper.console.lists.answering import show_list
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
    CONNECT,
    HOME,
    MOVE,
    NEW_HOST,
    REFUSED,
    RULES,
    source_form,
)
from fleetkeeper.console.sender_lists import host_list
from fleetkeeper.console.sender_panels import (
    code_panels,
    connected_panels,
    free_name,
    host_address,
    host_forms,
)
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesWrite
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import ConfigRead, public_origin
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
    """Hosts, and configurations to paste."""
    return await _page(request, session, actor)


@router.post("/senders/connect")
async def connect_source(request: Request, sent: FormLists, actor: ConfigRead, session: Session) -> Response:
    """Make a token that sends telemetry and nothing else, and show it this one time, in the source's configuration."""

    async def make() -> tuple[str, TokenCreated]:
        source = CONNECT.read(sent).source
        alike = await tokens.list_tokens(
            session, actor, [("name__contains", source), ("limit", "1000")], own=True
        )
        name = free_name(source, {one.name for one in alike.results})
        wanted = model_of(TokenCreate, {"name": name, "permissions": [Permission.TELEMETRY_WRITE]})
        return source, await tokens.create_own_token(session, actor, wanted, utc_now())

    outcome = await attempt(session, make())
    if isinstance(outcome, FleetkeeperError):
        return await _page(request, session, actor, refusal=Refusal(CONNECT.id, outcome, sent))
    connected = connected_panels(public_origin(request), *outcome)
    return await _page(request, session, actor, connected=connected)


@router.post("/senders/hosts")
async def add_host(request: Request, sent: FormLists, actor: DevicesWrite, session: Session) -> Response:
    """Say in advance which device a host is."""

    async def add() -> HostRead:
        entered = NEW_HOST.read(sent)
        device = await find_device(session, actor, entered.device)
        return await service.add_host(session, actor, HostCreate(host=entered.host, device_id=device))

    async def again(error: FleetkeeperError) -> Response:
        return await _page(request, session, actor, refusal=Refusal(NEW_HOST.id, error, sent))

    return await submit(request, session, add(), lambda _: HOME, again)


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
    sent: FormLists,
    actor: DevicesWrite,
    session: Session,
    device_id: UUID | None = None,
) -> Response:
    """Let a host be another device from now on."""

    async def move() -> HostRead:
        device = await find_device(session, actor, MOVE.read(sent).device)
        return await service.move_host(session, actor, host, HostUpdate(device_id=device), device_id)

    async def again(error: FleetkeeperError) -> Response:
        return await _host_page(session, actor, host, device_id, Refusal(MOVE.id, error, sent))

    return await submit(request, session, move(), host_address, again)


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
    *,
    connected: Sequence[Panel | None] = (),
    refusal: Refusal | None = None,
) -> Response:
    may_move = actor.may(Permission.DEVICES_WRITE)
    before: list[Panel | None] = [
        *connected,
        source_form() if actor.may(Permission.TELEMETRY_WRITE) else None,
    ]
    after: list[Panel | None] = [
        NEW_HOST.shown(f"{HOME}/hosts") if may_move else None,
        *code_panels(public_origin(request)),
    ]
    if refusal is not None:
        before, after = (
            refuse_in(panels, refusal.form_id, refusal.error, refusal.sent) for panels in (before, after)
        )
    links = [(RULES, "Rules")]
    status = 200 if refusal is None else refusal.error.status
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


async def _host_page(
    session: AsyncSession,
    actor: Actor,
    host: str,
    device_id: UUID | None,
    refusal: Refusal | None = None,
) -> Response:
    known = await service.get_host(session, actor, host, device_id)
    panels: list[Panel | None] = [*host_forms(known, may_move=actor.may(Permission.DEVICES_WRITE))]
    if refusal is not None:
        panels = refuse_in(panels, refusal.form_id, refusal.error, refusal.sent)
    return show_page(
        actor,
        HOME,
        known.host,
        panels,
        crumbs=((HOME, "Integrations"),),
        status=200 if refusal is None else refusal.error.status,
    )
