"""The second factors of an account: its owner adds and removes them, an administrator resets them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_covers, check_lasting
from fleetkeeper.identity.models import BrowserSession
from fleetkeeper.identity.service import actor_of_user, end_sessions
from fleetkeeper.identity.sign_in import passkeys, queries, recovery_codes, totp
from fleetkeeper.identity.sign_in.confirmation import (
    find_user,
    own_session,
    require_fresh,
    secret_of,
    store_question,
)
from fleetkeeper.identity.sign_in.models import Passkey, RecoveryCode, TotpDevice
from fleetkeeper.kit.sealing import Sealer
from fleetkeeper.kit.text import is_storable

MAX_NAME_LENGTH = 100


@dataclass(frozen=True)
class TotpEnrolment:
    """A new authenticator app's secret, shown until its first code was entered."""

    secret: str
    uri: str


async def begin_totp(session: AsyncSession, sealer: Sealer, actor: Actor, now: datetime) -> TotpEnrolment:
    """Make a secret for an authenticator app; it counts once a code was entered. Raises ConflictError for a second."""
    user_id = await require_fresh(session, actor, now)
    if (await queries.factors_of(session, user_id)).totp is not None:
        raise ConflictError("You already have an authenticator app. Remove it first.")
    await session.execute(delete(TotpDevice).where(TotpDevice.user_id == user_id))
    secret = totp.make_secret()
    session.add(
        TotpDevice(user_id=user_id, secret_sealed=totp.seal_secret(sealer, user_id, secret), created_at=now)
    )
    await session.flush()
    return TotpEnrolment(secret, totp.provisioning_uri(secret, actor.name))


async def pending_totp(session: AsyncSession, sealer: Sealer, actor: Actor) -> TotpEnrolment | None:
    """The secret again that waits for its first code, as after a typing error."""
    user_id, _ = own_session(actor)
    device = await queries.pending_totp(session, user_id)
    if device is None:
        return None
    secret = totp.open_secret(sealer, user_id, device.secret_sealed)
    return TotpEnrolment(secret, totp.provisioning_uri(secret, actor.name))


async def confirm_totp(
    session: AsyncSession, sealer: Sealer, actor: Actor, code: str, now: datetime
) -> list[str]:
    """Take the first code of a new authenticator app; returns recovery codes when these are the first.

    Raises InvalidInputError for a wrong code, and ConflictError when no app waits for one.
    """
    user_id = await require_fresh(session, actor, now)
    device = await queries.pending_totp(session, user_id)
    if device is None:
        raise ConflictError("No authenticator app is being set up; start again.")
    secret = totp.open_secret(sealer, user_id, device.secret_sealed)
    step = totp.matching_step(secret, code, now, device.last_step)
    if step is None or not await queries.take_totp_step(session, device.id, step):
        raise InvalidInputError(
            "The code is not correct.",
            fields=[FieldError("code", "Must be the current code of the app; check that its clock is right")],
        )
    device.confirmed_at = now
    await session.flush()
    return await _note_new_factor(session, actor, user_id, now)


async def remove_totp(session: AsyncSession, actor: Actor, now: datetime) -> None:
    """Remove the authenticator app. Raises NotFoundError."""
    user_id = await require_fresh(session, actor, now)
    removed = await session.scalar(
        delete(TotpDevice).where(TotpDevice.user_id == user_id).returning(TotpDevice.id)
    )
    if removed is None:
        raise NotFoundError("There is no authenticator app.")
    await _drop_useless_codes(session, user_id)


async def begin_passkey(
    session: AsyncSession, actor: Actor, party: passkeys.RelyingParty, now: datetime
) -> dict[str, Any]:
    """Ask the browser for a new passkey. Raises ConflictError when there are too many."""
    user_id = await require_fresh(session, actor, now)
    _, session_id = own_session(actor)
    existing = (await queries.factors_of(session, user_id)).passkeys
    if len(existing) >= passkeys.MAX_PASSKEYS:
        raise ConflictError(f"An account has at most {passkeys.MAX_PASSKEYS} passkeys; remove one first.")
    question = passkeys.ask_to_enrol(party, user_id, actor.name, existing)
    await store_question(session, "passkey_enrolment", user_id, session_id, question.challenge, now)
    return question.options


async def finish_passkey(
    session: AsyncSession,
    actor: Actor,
    party: passkeys.RelyingParty,
    name: str,
    answer: Mapping[str, Any],
    now: datetime,
) -> tuple[Passkey, list[str]]:
    """Store the passkey that the browser made, with recovery codes when these are the first.

    Raises InvalidInputError for an answer that does not hold, and ConflictError when none was asked for.
    """
    user_id = await require_fresh(session, actor, now)
    _, session_id = own_session(actor)
    name = _checked_name(name)
    asked = await queries.find_challenge(
        session, secret_of("passkey_enrolment", session_id), "passkey_enrolment", now
    )
    if (
        asked is None
        or asked.webauthn_challenge is None
        or not await queries.take_challenge(session, asked.id)
    ):
        raise ConflictError("No passkey is being added; start again.")
    try:
        made = passkeys.check_new(party, answer, asked.webauthn_challenge)
    except passkeys.PasskeyError:
        raise InvalidInputError(
            "The passkey was not added.", fields=[FieldError("credential", "is not valid; start again")]
        ) from None
    if await queries.find_passkey(session, made.credential_id) is not None:
        raise ConflictError("This passkey is already added.")
    passkey = Passkey(
        user_id=user_id,
        name=name,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        transports=list(made.transports),
        created_at=now,
    )
    session.add(passkey)
    await session.flush()
    return passkey, await _note_new_factor(session, actor, user_id, now)


async def rename_passkey(session: AsyncSession, actor: Actor, passkey_id: UUID, name: str) -> Passkey:
    """Give one of the caller's passkeys another name. Raises NotFoundError."""
    user_id, _ = own_session(actor)
    passkey = await session.scalar(
        select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user_id)
    )
    if passkey is None:
        raise NotFoundError("There is no such passkey.")
    passkey.name = _checked_name(name)
    await session.flush()
    return passkey


async def remove_passkey(session: AsyncSession, actor: Actor, passkey_id: UUID, now: datetime) -> None:
    """Remove one of the caller's passkeys. Raises NotFoundError."""
    user_id = await require_fresh(session, actor, now)
    removed = await session.scalar(
        delete(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user_id).returning(Passkey.id)
    )
    if removed is None:
        raise NotFoundError("There is no such passkey.")
    await _drop_useless_codes(session, user_id)


async def renew_recovery_codes(session: AsyncSession, actor: Actor, now: datetime) -> list[str]:
    """Make new recovery codes; the old ones end. Raises ConflictError while there is no factor to stand in for."""
    user_id = await require_fresh(session, actor, now)
    if not await queries.has_factor(session, user_id):
        raise ConflictError("Recovery codes replace a lost second factor. Set up a second factor first.")
    return await recovery_codes.replace_codes(session, user_id, now)


async def reset_second_factor(session: AsyncSession, actor: Actor, user_id: UUID) -> None:
    """Remove all factors of a user who lost them, and end their sessions.

    Raises NotFoundError, and ForbiddenError for a user who may do what the caller may not.
    """
    user = await find_user(session, user_id)
    check_covers(actor, await actor_of_user(session, user))
    check_lasting(actor)
    await queries.delete_factors(session, user_id)
    await end_sessions(session, user_id)
    await record_event(session, "user.second_factor_reset", "users", str(user_id), user.username)


async def _note_new_factor(session: AsyncSession, actor: Actor, user_id: UUID, now: datetime) -> list[str]:
    """The session has shown the factor just now. Whoever has no recovery codes gets some."""
    await session.execute(
        update(BrowserSession).where(BrowserSession.id == actor.session_id).values(has_second_factor=True)
    )
    if (await queries.factors_of(session, user_id)).unused_recovery_codes:
        return []
    return await recovery_codes.replace_codes(session, user_id, now)


async def _drop_useless_codes(session: AsyncSession, user_id: UUID) -> None:
    if not await queries.has_factor(session, user_id):
        await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > MAX_NAME_LENGTH or not is_storable(name):
        raise InvalidInputError(
            "The passkey needs a name.", fields=[FieldError("name", f"has 1 to {MAX_NAME_LENGTH} characters")]
        )
    return name
