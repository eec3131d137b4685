"""`/account`: one's own profile, tokens and sessions."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import (
    Cell,
    Entry,
    EntryForm,
    Facts,
    Option,
    Panel,
    Secret,
)
from fleetkeeper.console.contexts.shell import ACCOUNT
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import attempt, done, model_of, optional, refuse_in, show_page
from fleetkeeper.console.requests import FormLists, FormValues
from fleetkeeper.console.sessions import sessions_of_one
from fleetkeeper.console.tokens import token_form, token_secret, token_values, tokens_of_one
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.sessions import service as sessions
from fleetkeeper.identity.sessions.api import idle_time
from fleetkeeper.identity.tokens import service as tokens
from fleetkeeper.identity.tokens.schemas import TokenCreate, TokenCreated
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
THEMES = (("auto", "System"), ("light", "Light"), ("dark", "Dark"))


@router.get("/account")
async def show_account(request: Request, actor: SignedIn, session: Session) -> Response:
    """One's own account."""
    return await _page(request, session, actor)


@router.post("/account")
async def change_account(request: Request, form: FormValues, actor: SignedIn, session: Session) -> Response:
    """Change the profile."""

    async def change() -> AccountRead:
        values = {"name": form.get("name", "").strip(), "theme": form.get("theme", "auto")}
        changes = model_of(AccountUpdate, values | optional(form, "email", "time_zone"))
        return await account.update_account(session, actor, changes)

    outcome = await attempt(session, change())
    if not isinstance(outcome, FleetkeeperError):
        return done(request, HOME)
    return await _page(request, session, actor, form_id="profile", error=outcome, values=form)


@router.post("/account/tokens")
async def create_token(
    request: Request, form: FormValues, lists: FormLists, actor: SignedIn, session: Session
) -> Response:
    """Make a token and show its secret this one time."""
    now = utc_now()

    async def make() -> TokenCreated:
        values = token_values(form, lists.get("permissions", []), now)
        return await tokens.create_own_token(session, actor, model_of(TokenCreate, values), now)

    outcome = await attempt(session, make())
    if isinstance(outcome, FleetkeeperError):
        return await _page(request, session, actor, form_id="new-token", error=outcome, values=form)
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
    form_id: str = "",
    error: FleetkeeperError | None = None,
    values: FormValues | None = None,
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
    if error is not None:
        panels = refuse_in(panels, form_id, error, values or {})
    return show_page(
        actor,
        HOME,
        "My account",
        panels,
        links=(("/account/security", "Password and second factor"),),
        status=200 if error is None else error.status,
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
    zones = (
        Option("", "Browser default", own.time_zone is None),
        *(Option(name, name.replace("_", " "), name == own.time_zone) for name in sorted(time_zones())),
    )
    themes = tuple(Option(value, label, value == own.theme) for value, label in THEMES)
    return EntryForm(
        "profile",
        "Profile, time zone and theme",
        HOME,
        "Save",
        (
            Entry("name", "Full name", own.name, is_required=False, autocomplete="name"),
            Entry(
                "email",
                "Email",
                own.email or "",
                kind="email",
                is_required=False,
                autocomplete="email",
            ),
            Entry("time_zone", "Time zone", kind="select", options=zones),
            Entry("theme", "Theme", kind="select", options=themes),
        ),
    )
