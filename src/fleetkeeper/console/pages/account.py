"""`/account`: one's own profile, tokens and sessions."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import (
    Cell,
    EntryForm,
    Facts,
    Option,
    Panel,
    Secret,
)
from fleetkeeper.console.contexts.shell import ACCOUNT
from fleetkeeper.console.details import Refusal
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import attempt, done, refuse_in, show_page, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.console.sessions import sessions_of_one
from fleetkeeper.console.tokens import FORM as TOKEN
from fleetkeeper.console.tokens import token_form, token_secret, tokens_of_one, wanted_token
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.sessions import service as sessions
from fleetkeeper.identity.sessions.api import idle_time
from fleetkeeper.identity.tokens import service as tokens
from fleetkeeper.identity.tokens.schemas import TokenCreated
from fleetkeeper.identity.users import account
from fleetkeeper.identity.users.schemas import AccountRead, AccountUpdate, time_zones
from fleetkeeper.kit.clock import utc_now

router = APIRouter()
declare(
    Place(
        "/account",
        "My account",
        "user",
        None,
        group=ACCOUNT,
        order=10,
        key="c",
        words="profile time zone theme own tokens",
    )
)

HOME = "/account"
SHOWN = (("limit", "100"),)
OVERLAP = timedelta(hours=1)
THEMES = (Option("auto", "System"), Option("light", "Light"), Option("dark", "Dark"))
PROFILE = Form(
    AccountUpdate,
    "profile",
    "Profile, time zone and theme",
    "Save changes",
    {
        "name": Widget("Full name", autocomplete="name"),
        "email": Widget("Email", autocomplete="email"),
        "time_zone": "Time zone",
        "theme": "Theme",
    },
)


@router.get("/account")
async def show_account(request: Request, actor: SignedIn, session: Session) -> Response:
    """One's own account."""
    return await _page(request, session, actor)


@router.post("/account")
async def change_account(request: Request, sent: FormLists, actor: SignedIn, session: Session) -> Response:
    """Change the profile."""

    async def change() -> AccountRead:
        return await account.update_account(session, actor, PROFILE.read(sent))

    async def again(error: FleetkeeperError) -> Response:
        return await _page(request, session, actor, refusal=Refusal(PROFILE.id, error, sent))

    return await submit(request, session, change(), lambda _: HOME, again)


@router.post("/account/tokens")
async def create_token(request: Request, sent: FormLists, actor: SignedIn, session: Session) -> Response:
    """Make a token and show its secret this one time."""
    now = utc_now()

    async def make() -> TokenCreated:
        return await tokens.create_own_token(session, actor, wanted_token(sent, now), now)

    outcome = await attempt(session, make())
    if isinstance(outcome, FleetkeeperError):
        return await _page(request, session, actor, refusal=Refusal(TOKEN.id, outcome, sent))
    return await _page(request, session, actor, secret=token_secret(outcome))


@router.post("/account/tokens/{token_id}/rotate")
async def rotate_token(request: Request, token_id: UUID, actor: SignedIn, session: Session) -> Response:
    """Give a token a new secret and show it this one time."""
    rotated = await tokens.rotate_token(session, actor, token_id, OVERLAP, utc_now())
    return await _page(request, session, actor, secret=token_secret(rotated))


@router.post("/account/tokens/{token_id}/revoke")
async def revoke_token(request: Request, token_id: UUID, actor: SignedIn, session: Session) -> Response:
    """Revoke one of one's own tokens."""
    await tokens.revoke_own_token(session, actor, token_id)
    return done(request, HOME)


@router.post("/account/sessions/{session_id}/end")
async def end_session(request: Request, session_id: UUID, actor: SignedIn, session: Session) -> Response:
    """End one of one's own sessions."""
    await sessions.end_own_session(session, actor, session_id)
    return done(request, HOME)


@router.post("/account/sessions/end-others")
async def end_other_sessions(request: Request, actor: SignedIn, session: Session) -> Response:
    """End all of one's own sessions but this one."""
    await sessions.end_other_sessions(session, actor)
    return done(request, HOME)


async def _page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    *,
    secret: Secret | None = None,
    refusal: Refusal | None = None,
) -> Response:
    own = await account.read_account(session, actor)
    listed = await tokens.list_tokens(session, actor, SHOWN, own=True)
    signed_in = await sessions.list_own_sessions(
        session, actor, SHOWN, now=utc_now(), idle=idle_time(request)
    )
    panels: list[Panel | None] = [
        secret,
        _facts(own),
        _profile(own),
        tokens_of_one(listed, "/account/tokens", may_rotate=True),
        token_form(actor, await all_departments(session, actor)),
        sessions_of_one(signed_in, "/account/sessions"),
    ]
    if signed_in.count > 1:
        others = EntryForm(
            "end-others",
            "End all other sessions",
            "/account/sessions/end-others",
            "End sessions",
            text="All other browsers must sign in again.",
            is_danger=True,
        )
        panels.append(others)
    if refusal is not None:
        panels = refuse_in(panels, refusal.form_id, refusal.error, refusal.sent)
    return show_page(
        actor,
        HOME,
        "My account",
        panels,
        links=(("/account/security", "Password and second factor"),),
        status=200 if refusal is None else refusal.error.status,
    )


def _facts(own: AccountRead) -> Facts:
    return Facts(
        "account",
        own.username,
        (
            ("Name", Cell(own.name)),
            ("Email", Cell(own.email or "")),
            ("Roles", Cell(", ".join(own.roles) or "none")),
            ("Last sign-in", Cell(at=own.last_login, kind="time")),
        ),
    )


def _profile(own: AccountRead) -> EntryForm:
    zones = (Option(name, name.replace("_", " ")) for name in sorted(time_zones()))
    options = {"time_zone": [Option("", "Browser default"), *zones], "theme": THEMES}
    return PROFILE.shown(HOME, own, options=options)
