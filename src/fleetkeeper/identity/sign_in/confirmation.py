"""Users prove again who they are: to change their password, and before they change a factor."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import anyio.to_thread
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import (
    ConflictError,
    FieldError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import BrowserSession, User
from fleetkeeper.identity.service import end_sessions, revoke_tokens, token_names
from fleetkeeper.identity.sign_in import passkeys, queries
from fleetkeeper.identity.sign_in.desk import (
    CHALLENGE_LIFETIME,
    Proof,
    SignInDesk,
    Visit,
    note_failure,
    note_refusal,
    refuse_when_full,
)
from fleetkeeper.identity.sign_in.models import SignInChallenge
from fleetkeeper.identity.sign_in.passwords import (
    MAX_LENGTH,
    check_password,
    hash_password,
    is_password,
)
from fleetkeeper.identity.sign_in.service import check_proof
from fleetkeeper.identity.sign_in.throttle import admit, confirmation_bucket, take_back
from fleetkeeper.kit.secrets import hash_secret

# How long after a sign-in or a confirmation one may change factors.
FRESH = timedelta(minutes=10)


class ConfirmationNeededError(ForbiddenError):
    """The sign-in is too long ago for this; the user must prove again who they are."""


@dataclass(frozen=True)
class Security:
    """How an account is protected, and whether its owner may change that at the moment."""

    username: str
    has_password: bool
    password_changed_at: datetime | None
    factors: queries.Factors
    is_fresh: bool


def own_session(actor: Actor) -> tuple[UUID, UUID]:
    """The user and the session of somebody at a browser. Raises ForbiddenError for a token's caller."""
    if actor.session_id is None or actor.user_id is None:
        raise ForbiddenError("This is only possible in a browser session, not with an API token.")
    return actor.user_id, actor.session_id


async def security_of(session: AsyncSession, actor: Actor, now: datetime) -> Security:
    """How the caller's account is protected."""
    user_id, session_id = own_session(actor)
    user = await find_user(session, user_id)
    return Security(
        user.username,
        user.password_hash is not None,
        user.password_changed_at,
        await queries.factors_of(session, user_id),
        await _is_fresh(session, session_id, now),
    )


async def _is_fresh(session: AsyncSession, session_id: UUID, now: datetime) -> bool:
    """Whether the sign-in or a confirmation is recent, and by all factors that the account has."""
    browser = await session.scalar(select(BrowserSession).where(BrowserSession.id == session_id))
    if browser is None or now - (browser.confirmed_at or browser.created_at) > FRESH:
        return False
    return browser.has_second_factor or not await queries.has_factor(session, browser.user_id)


async def require_fresh(session: AsyncSession, actor: Actor, now: datetime) -> UUID:
    """The caller's user id, if they proved lately who they are. Raises ConfirmationNeededError."""
    user_id, session_id = own_session(actor)
    if not await _is_fresh(session, session_id, now):
        raise ConfirmationNeededError("You signed in a while ago. Confirm your identity first.")
    return user_id


async def find_user(session: AsyncSession, user_id: UUID) -> User:
    """The user. Raises NotFoundError."""
    user = await session.scalar(select(User).where(User.id == user_id))
    if user is None:
        raise NotFoundError("There is no such user.")
    return user


async def _check_secretly(
    desk: SignInDesk,
    visit: Visit,
    actor: Actor,
    password: str | None,
    proof: Proof | None,
    party: passkeys.RelyingParty | None,
    now: datetime,
) -> bool:
    """Whether the caller's password or factor holds; wrong ones are counted. Raises OverloadedError."""
    user_id, session_id = own_session(actor)
    kind = "password" if proof is None else proof.kind
    async with desk.database.session(visit.context) as session:
        admission = await admit(session, (confirmation_bucket(user_id),), now)
        await note_refusal(session, admission, actor.name, kind)
        user = await find_user(session, user_id)
        challenge = await queries.find_challenge(
            session, secret_of("confirmation", session_id), "confirmation", now
        )
    refuse_when_full(admission)
    async with desk.database.session(visit.context) as session:
        if proof is None:
            holds = await anyio.to_thread.run_sync(
                is_password, user.password_hash, (password or "")[:MAX_LENGTH]
            )
        else:
            asked = challenge.webauthn_challenge if challenge is not None else None
            if challenge is not None and not await queries.take_challenge(session, challenge.id):
                asked = None
            holds = await check_proof(desk, session, user_id, proof, party, asked, now)
        if holds:
            await take_back(session, admission.counted)
    if not holds:
        await note_failure(desk, visit, actor.name, f"confirmation:{kind}")
    return holds


async def confirm(
    desk: SignInDesk,
    visit: Visit,
    actor: Actor,
    *,
    password: str | None,
    proof: Proof | None,
    party: passkeys.RelyingParty | None,
    now: datetime,
) -> None:
    """Prove again who one is, by password or factor. Raises InvalidInputError or OverloadedError."""
    if not await _check_secretly(desk, visit, actor, password, proof, party, now):
        field = "password" if proof is None else ("code" if proof.kind == "totp" else proof.kind)
        raise InvalidInputError("That was not correct.", fields=[FieldError(field, "is wrong")])
    async with desk.database.session(visit.context) as session:
        values: dict[str, Any] = {"confirmed_at": now}
        if proof is not None:
            values["has_second_factor"] = True
        await session.execute(
            update(BrowserSession).where(BrowserSession.id == actor.session_id).values(**values)
        )
        _, session_id = own_session(actor)
        if not await _is_fresh(session, session_id, now):
            raise InvalidInputError(
                "The password alone is not enough. Use your second factor as well.",
                fields=[
                    FieldError("code", "Must be your second factor, because this session has not used it yet")
                ],
            )


async def ask_to_confirm(
    session: AsyncSession, actor: Actor, party: passkeys.RelyingParty, now: datetime
) -> dict[str, Any]:
    """Ask for one of the caller's passkeys. Raises ConflictError when there is none."""
    user_id, session_id = own_session(actor)
    factors = await queries.factors_of(session, user_id)
    if not factors.passkeys:
        raise ConflictError("Your account has no passkey.")
    question = passkeys.ask_to_prove(party, factors.passkeys)
    await store_question(session, "confirmation", user_id, session_id, question.challenge, now)
    return question.options


async def change_password(
    desk: SignInDesk,
    visit: Visit,
    actor: Actor,
    current: str,
    new: str,
    now: datetime,
    *,
    with_tokens: bool = False,
) -> tuple[int, list[str]]:
    """Change the caller's password and end their other sessions; returns how many, and the tokens that still work.

    Raises InvalidInputError, ConflictError for an account without a password, or OverloadedError.
    """
    user_id, session_id = own_session(actor)
    async with desk.database.session() as session:
        user = await find_user(session, user_id)
    if user.password_hash is None:
        raise ConflictError("Your account has no password; you sign in through your organization.")
    check_password(new, user.username)
    if not await _check_secretly(desk, visit, actor, current, None, None, now):
        raise InvalidInputError(
            "The password was not changed.", fields=[FieldError("current_password", "is wrong")]
        )
    if current == new:
        raise InvalidInputError(
            "The password was not changed.",
            fields=[FieldError("password", "Must differ from your current password")],
        )
    made = await anyio.to_thread.run_sync(hash_password, new)
    async with desk.database.session(visit.context) as session:
        await session.execute(
            update(User).where(User.id == user_id).values(password_hash=made, password_changed_at=now)
        )
        await session.execute(
            update(BrowserSession).where(BrowserSession.id == session_id).values(confirmed_at=now)
        )
        if with_tokens:
            await revoke_tokens(session, user_id)
        return await end_sessions(session, user_id, but=session_id), await token_names(session, user_id)


async def store_question(
    session: AsyncSession, purpose: str, user_id: UUID, session_id: UUID, challenge: bytes, now: datetime
) -> None:
    """Remember what the browser of a session is asked; one question of each kind at a time."""
    await queries.replace_challenge(
        session,
        SignInChallenge(
            user_id=user_id,
            secret_hash=secret_of(purpose, session_id),
            purpose=purpose,
            webauthn_challenge=challenge,
            expires_at=now + CHALLENGE_LIFETIME,
        ),
    )


def secret_of(purpose: str, session_id: UUID) -> bytes:
    """By what such a question is found: the session."""
    return hash_secret(f"{purpose}:{session_id}")
