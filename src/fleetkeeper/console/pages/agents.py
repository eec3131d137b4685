"""`/agents`: enrollment tokens, and the agents that joined with them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse

from fleetkeeper.console.contexts.agents import (
    AgentsPage,
    Arrivals,
    TokenCreated,
    TokenForm,
    TokenFormFragment,
    TokenTable,
)
from fleetkeeper.console.contexts.lists import ListResults
from fleetkeeper.console.enrolment import (
    agent_list,
    agent_row,
    install_commands,
    read_token_form,
    token_form,
    token_row,
)
from fleetkeeper.console.lists.answering import read_list
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import FormValues, WantsFragment
from fleetkeeper.console.toasts import told
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.devices.queries import shared_names
from fleetkeeper.errors import InvalidInputError
from fleetkeeper.fleet import service as fleet
from fleetkeeper.fleet.access import EnrollmentRead, EnrollmentWrite
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

TOKEN_PARAMETERS = (("limit", "10"),)
ARRIVALS_SHOWN = "5"


@router.get("/agents")
async def list_agents(
    request: Request,
    actor: DevicesRead,
    session: Session,
    wants_fragment: WantsFragment,
) -> Response:
    """Agents, and for those who may enroll machines the tokens."""
    may_enrol = actor.may(Permission.ENROLLMENT_WRITE)
    fetch = partial(fleet.list_agents, session, actor)
    agents = await read_list(request, agent_list(may_enrol=may_enrol), fetch)
    if wants_fragment:
        return render("panels/_list.html", ListResults(agents, actor.csrf_token or ""))
    tokens = await _tokens(session, actor) if actor.may(Permission.ENROLLMENT_READ) else TokenTable(())
    page = AgentsPage(
        agents=agents,
        may_enrol=may_enrol,
        tokens=tokens.tokens,
        shell=shell_for(actor, "/agents"),
        token_form=await _token_form(session, actor),
        csrf_token=actor.csrf_token or "",
    )
    return render("agents/list.html", page)


@router.post("/agents/enrollment-tokens")
async def create_token(
    request: Request,
    form: FormValues,
    actor: EnrollmentWrite,
    session: Session,
) -> Response:
    """Make a token and show it, inside its commands, this one time."""
    wanted = read_token_form(form)
    if isinstance(wanted, dict):
        return await _refused_token(session, actor, form, wanted)
    try:
        created = await fleet.create_enrollment_token(session, actor, wanted, utc_now())
    except InvalidInputError as error:
        return await _refused_token(session, actor, form, dict(error.fields))
    shown = TokenCreated(
        arrived=(),
        poll_href=_poll_address(created.created_at),
        name=created.name,
        commands=install_commands(public_origin(request), created.token),
    )
    answer = render("agents/_created.html", shown)
    # The table of tokens, which stands elsewhere on the page, asks for itself anew.
    answer.headers["HX-Trigger"] = "tokens-changed"
    return answer


@router.get("/agents/enrollment-tokens")
async def list_tokens(actor: EnrollmentRead, session: Session) -> Response:
    """The newest tokens, without their secrets."""
    return render("agents/_tokens.html", await _tokens(session, actor))


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


@router.post("/agents/enrollment-tokens/{token_id}/revoke")
async def revoke_token(
    token_id: UUID,
    actor: EnrollmentWrite,
    session: Session,
    wants_fragment: WantsFragment,
) -> Response:
    """Refuse a token from now on."""
    await fleet.revoke_enrollment_token(session, actor, token_id, utc_now())
    if not wants_fragment:
        return RedirectResponse("/agents", 303)
    return render("agents/_tokens.html", await _tokens(session, actor))


@router.post("/agents/{device_id}/revoke")
async def revoke_agent(
    request: Request, device_id: UUID, actor: EnrollmentWrite, session: Session
) -> Response:
    """Revoke a device's key: its agent must enroll again."""
    await fleet.revoke_agent(session, actor, device_id)
    return told(request, "/agents", "Key revoked. The agent is refused until it enrolls again.")


async def _token_form(
    session: AsyncSession,
    actor: Actor,
    entered: FormValues | None = None,
    errors: Mapping[str, str] | None = None,
    message: str = "",
) -> TokenForm:
    places = await all_departments(session, actor, Permission.ENROLLMENT_WRITE)
    anywhere = actor.may_everywhere(Permission.ENROLLMENT_WRITE)
    return token_form(entered, errors, message, departments=places, may_enrol_anywhere=anywhere)


async def _refused_token(
    session: AsyncSession, actor: Actor, entered: FormValues, errors: Mapping[str, str]
) -> Response:
    form = await _token_form(
        session, actor, entered, errors, "No token was created. Correct the marked fields."
    )
    fragment = TokenFormFragment(form, actor.csrf_token or "")
    return render("agents/_token_form.html", fragment, status=422)


def _poll_address(since: datetime) -> str:
    return f"/agents/arrivals?{urlencode({'since': since.isoformat()})}"


async def _tokens(session: AsyncSession, actor: Actor) -> TokenTable:
    page = await fleet.list_enrollment_tokens(session, actor, TOKEN_PARAMETERS)
    places = await all_departments(session, actor)
    return TokenTable(tuple(token_row(token, places) for token in page.results))
