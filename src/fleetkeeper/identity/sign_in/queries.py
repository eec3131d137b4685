"""The SQL of factors, half-done sign-ins and known browsers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CursorResult, Select, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.models import BrowserSession, User
from fleetkeeper.identity.oidc.models import OidcFlow
from fleetkeeper.identity.sign_in.models import (
    KnownBrowser,
    Passkey,
    RecoveryCode,
    SignInChallenge,
    SignInFailure,
    TotpDevice,
)

KNOWN_BROWSER_LIFETIME = timedelta(days=365)
# Longer than any window of the throttle.
FAILURES_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Factors:
    """What a user can prove themselves with besides the password."""

    totp: TotpDevice | None
    passkeys: tuple[Passkey, ...]
    unused_recovery_codes: int

    def __bool__(self) -> bool:
        return self.totp is not None or bool(self.passkeys)


async def factors_of(session: AsyncSession, user_id: UUID) -> Factors:
    """A user's confirmed factors."""
    totp = await session.scalar(
        select(TotpDevice).where(TotpDevice.user_id == user_id, TotpDevice.confirmed_at.is_not(None))
    )
    passkeys = await session.scalars(
        select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.created_at, Passkey.id)
    )
    codes = await session.scalar(
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    )
    return Factors(totp, tuple(passkeys), codes or 0)


async def has_factor(session: AsyncSession, user_id: UUID) -> bool:
    """Whether a user has a second factor."""
    statement = select(
        or_(
            exists().where(TotpDevice.user_id == user_id, TotpDevice.confirmed_at.is_not(None)),
            exists().where(Passkey.user_id == user_id),
        )
    )
    return bool(await session.scalar(statement))


async def pending_totp(session: AsyncSession, user_id: UUID) -> TotpDevice | None:
    """An authenticator app of which no code was entered yet."""
    found: TotpDevice | None = await session.scalar(
        select(TotpDevice).where(TotpDevice.user_id == user_id, TotpDevice.confirmed_at.is_(None))
    )
    return found


async def take_totp_step(session: AsyncSession, device_id: UUID, step: int) -> bool:
    """Use up a time step, and with it those before; false when it was used already."""
    outcome = await session.execute(
        update(TotpDevice)
        .where(TotpDevice.id == device_id, or_(TotpDevice.last_step.is_(None), TotpDevice.last_step < step))
        .values(last_step=step)
        .execution_options(synchronize_session=False)
    )
    return _affected(outcome) == 1


async def take_recovery_code(session: AsyncSession, user_id: UUID, code_hash: bytes, now: datetime) -> bool:
    """Use up a recovery code; false when there is none such left."""
    outcome = await session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == code_hash,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    return _affected(outcome) == 1


async def find_passkey(session: AsyncSession, credential_id: bytes) -> Passkey | None:
    """The passkey, locked, so that its count of signatures is compared and raised by one request at a time."""
    found: Passkey | None = await session.scalar(
        select(Passkey).where(Passkey.credential_id == credential_id).with_for_update()
    )
    return found


async def delete_factors(session: AsyncSession, user_id: UUID) -> None:
    """Remove all factors of a user, recovery codes included."""
    for model in (TotpDevice, Passkey, RecoveryCode):
        await session.execute(delete(model).where(model.user_id == user_id))


async def find_challenge(
    session: AsyncSession, secret_hash: bytes, purpose: str, now: datetime
) -> SignInChallenge | None:
    """A half-done sign-in that can still go on."""
    found: SignInChallenge | None = await session.scalar(
        select(SignInChallenge).where(
            SignInChallenge.secret_hash == secret_hash,
            SignInChallenge.purpose == purpose,
            SignInChallenge.expires_at > now,
        )
    )
    return found


async def count_attempt(session: AsyncSession, challenge_id: UUID, most: int) -> bool:
    """Count an attempt at a challenge; false when there were `most` already."""
    outcome = await session.execute(
        update(SignInChallenge)
        .where(SignInChallenge.id == challenge_id, SignInChallenge.attempts < most)
        .values(attempts=SignInChallenge.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    return _affected(outcome) == 1


async def set_webauthn_challenge(session: AsyncSession, challenge_id: UUID, challenge: bytes) -> None:
    """Let a half-done sign-in wait for a passkey's answer to `challenge`."""
    await session.execute(
        update(SignInChallenge)
        .where(SignInChallenge.id == challenge_id)
        .values(webauthn_challenge=challenge)
        .execution_options(synchronize_session=False)
    )


async def take_challenge(session: AsyncSession, challenge_id: UUID) -> bool:
    """Use up a half-done sign-in; false when somebody else did at the same moment."""
    outcome = await session.execute(
        delete(SignInChallenge)
        .where(SignInChallenge.id == challenge_id)
        .execution_options(synchronize_session=False)
    )
    return _affected(outcome) == 1


async def replace_challenge(session: AsyncSession, challenge: SignInChallenge) -> None:
    """Store a challenge in place of the one with the same secret."""
    await session.execute(delete(SignInChallenge).where(SignInChallenge.secret_hash == challenge.secret_hash))
    session.add(challenge)
    await session.flush()


async def find_known_browser(
    session: AsyncSession, username: str, secret_hash: bytes, now: datetime
) -> KnownBrowser | None:
    """The browser, if that user has signed in with it before."""
    found: KnownBrowser | None = await session.scalar(
        _browser(secret_hash, now)
        .join(User, User.id == KnownBrowser.user_id)
        .where(func.lower(User.username) == func.lower(username))
    )
    return found


async def find_browser(session: AsyncSession, secret_hash: bytes, now: datetime) -> KnownBrowser | None:
    """The browser, if anybody has signed in with it before."""
    found: KnownBrowser | None = await session.scalar(_browser(secret_hash, now))
    return found


def _browser(secret_hash: bytes, now: datetime) -> Select[KnownBrowser]:
    return select(KnownBrowser).where(
        KnownBrowser.secret_hash == secret_hash, KnownBrowser.last_used_at > now - KNOWN_BROWSER_LIFETIME
    )


async def end_session_of_secret(session: AsyncSession, secret_hash: bytes) -> None:
    """End the session that a cookie belonged to before a new sign-in."""
    await session.execute(delete(BrowserSession).where(BrowserSession.secret_hash == secret_hash))


async def remove_expired(session: AsyncSession, now: datetime) -> None:
    """Remove what can no longer be used: half-done sign-ins, old failures, browsers that were long away."""
    conditions: Sequence[tuple[type, object]] = (
        (SignInChallenge, SignInChallenge.expires_at <= now),
        (OidcFlow, OidcFlow.expires_at <= now),
        (SignInFailure, SignInFailure.failed_at <= now - FAILURES_KEPT),
        (KnownBrowser, KnownBrowser.last_used_at <= now - KNOWN_BROWSER_LIFETIME),
    )
    for model, condition in conditions:
        await session.execute(delete(model).where(condition))  # type: ignore[arg-type]


def _affected(outcome: object) -> int:
    return outcome.rowcount if isinstance(outcome, CursorResult) else 0
