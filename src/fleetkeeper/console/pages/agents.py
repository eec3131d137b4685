"""`/agents`: enrollment tokens, and the agents that joined with them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.agents import Arrivals, TokenCreated
from fleetkeeper.console.contexts.panels import EntryForm, Fragment, Panel
from fleetkeeper.console.enrolment import (
    HOME,
    agent_list,
    agent_row,
    install_commands,
    token_form,
    token_list,
    wanted_token,
)
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import attempt, refused
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import FormLists
from fleetkeeper.console.toasts import told
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.devices.queries import shared_names
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.fleet import service as fleet
from fleetkeeper.fleet.access import EnrollmentRead, EnrollmentWrite
from fleetkeeper.fleet.schemas import DeviceEnrollment, EnrollmentTokenCreated
from fleetkeeper.identity.access import public_origin
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now

router = APIRouter()
declare(
    Place(
        "/agents",
        "Agents",
        "plug-connected",
        Permission.DEVICES_READ,
        group="Sources",
        order=10,
        key="a",
        words="enrollment install",
    )
)

declare(
    Place(
        HOME,
        "Enrollment tokens",
        "key",
        Permission.ENROLLMENT_READ,
        group="Sources",
        order=11,
        parent="/agents",
        words="enroll join install",
    )
)

ARRIVALS_SHOWN = "5"


@router.get("/agents")
async def list_agents(request: Request, actor: DevicesRead, session: Session) -> Response:
    """Agents, and for those who may enroll machines the form for a token."""
    page = agent_list(may_enrol=actor.may(Permission.ENROLLMENT_WRITE))
    fetch = partial(fleet.list_agents, session, actor)
    links = ((HOME, "Enrollment tokens"),) if actor.may(Permission.ENROLLMENT_READ) else ()
    return await show_list(
        request, session, actor, page, fetch, before=[await _token_form(session, actor)], links=links
    )


@router.get(HOME)
async def list_tokens(request: Request, actor: EnrollmentRead, session: Session) -> Response:
    """Enrollment tokens, without their secrets."""
    return await _token_page(request, session, actor, [await _token_form(session, actor)])


@router.post(HOME)
async def create_token(
    request: Request, sent: FormLists, actor: EnrollmentWrite, session: Session
) -> Response:
    """Make a token and show it, inside its commands, this one time."""

    async def make() -> EnrollmentTokenCreated:
        return await fleet.create_enrollment_token(session, actor, wanted_token(sent), utc_now())

    outcome = await attempt(session, make())
    form = await _token_form(session, actor)
    if isinstance(outcome, FleetkeeperError):
        shown = form and refused(form, outcome, sent)
        return await _token_page(request, session, actor, [shown], outcome.status)
    return await _created_page(request, session, actor, outcome)


@router.post("/agents/{device_id}/enroll-again")
async def enroll_again(
    request: Request, device_id: UUID, actor: EnrollmentWrite, session: Session
) -> Response:
    """Make a token for one device and show it, inside its commands, this one time."""
    made = await fleet.create_token_for_device(session, actor, device_id, DeviceEnrollment(), utc_now())
    return await _created_page(request, session, actor, made)


async def _created_page(
    request: Request, session: AsyncSession, actor: Actor, outcome: EnrollmentTokenCreated
) -> Response:
    created = TokenCreated(
        arrived=(),
        poll_href=_poll_address(outcome.created_at),
        name=outcome.name,
        commands=install_commands(public_origin(request), outcome.token),
    )
    return await _token_page(request, session, actor, [Fragment("agents/_created.html", created)])


@router.get("/agents/arrivals")
async def list_arrivals(since: datetime, actor: EnrollmentRead, session: Session) -> Response:
    """The machines that joined since a token was made, newest first."""
    parameters = (("enrolled_at__gte", since.isoformat()), ("limit", ARRIVALS_SHOWN))
    page = await fleet.list_agents(session, actor, parameters)
    shared = await shared_names(session, actor, {agent.device_name for agent in page.results})
    arrived = tuple(
        replace(agent_row(agent), has_namesake=agent.device_name in shared) for agent in page.results
    )
    return render("agents/_arrivals.html", Arrivals(arrived, _poll_address(since)))


@router.post(HOME + "/{token_id}/revoke")
async def revoke_token(
    request: Request, token_id: UUID, actor: EnrollmentWrite, session: Session
) -> Response:
    """Refuse a token from now on."""
    await fleet.revoke_enrollment_token(session, actor, token_id, utc_now())
    return told(request, HOME, "Token revoked. No machine can join with it any more.")


@router.post("/agents/{device_id}/revoke")
async def revoke_agent(
    request: Request, device_id: UUID, actor: EnrollmentWrite, session: Session
) -> Response:
    """Revoke a device's key: its agent must enroll again."""
    await fleet.revoke_agent(session, actor, device_id)
    return told(request, "/agents", "Key revoked. The agent is refused until it enrolls again.")


async def _token_form(session: AsyncSession, actor: Actor) -> EntryForm | None:
    if not actor.may(Permission.ENROLLMENT_WRITE):
        return None
    places = await all_departments(session, actor, Permission.ENROLLMENT_WRITE)
    return token_form(places, may_enrol_anywhere=actor.may_everywhere(Permission.ENROLLMENT_WRITE))


async def _token_page(
    request: Request, session: AsyncSession, actor: Actor, before: Sequence[Panel | None], status: int = 200
) -> Response:
    places = await all_departments(session, actor)
    page = token_list(places, may_enrol=actor.may(Permission.ENROLLMENT_WRITE))
    fetch = partial(fleet.list_enrollment_tokens, session, actor)
    return await show_list(request, session, actor, page, fetch, before=before, status=status)


def _poll_address(since: datetime) -> str:
    return f"/agents/arrivals?{urlencode({'since': since.isoformat()})}"
