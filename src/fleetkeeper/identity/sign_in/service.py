"""The steps of a sign-in. Each step has transactions of its own: what failed stays counted whatever is answered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import anyio.to_thread
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.errors import UnauthenticatedError
from fleetkeeper.identity.models import User
from fleetkeeper.identity.queries import find_user
from fleetkeeper.identity.service import open_session
from fleetkeeper.identity.sign_in import passkeys, queries, recovery_codes, totp
from fleetkeeper.identity.sign_in.desk import (
    CHALLENGE_LIFETIME,
    MAX_USERNAME_LENGTH,
    Challenged,
    Opened,
    Proof,
    SignInDesk,
    Visit,
    anonymous_context,
    note_failure,
    note_refusal,
    printable,
    refuse_when_full,
    user_context,
)
from fleetkeeper.identity.sign_in.models import KnownBrowser, SignInChallenge
from fleetkeeper.identity.sign_in.passwords import MAX_LENGTH, is_password
from fleetkeeper.identity.sign_in.throttle import (
    Bucket,
    account_address_bucket,
    account_bucket,
    admit,
    browser_bucket,
    factor_bucket,
    take_back,
)
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.secrets import hash_secret, make_secret

CHALLENGE_ATTEMPTS = 5
BROWSER_PREFIX = "fkb"
CHALLENGE_PREFIX = "fkc"


async def sign_in(
    desk: SignInDesk,
    visit: Visit,
    username: str,
    password: str,
    *,
    next_path: str = "/",
    now: datetime | None = None,
) -> Opened | Challenged:
    """Check a password. Raises UnauthenticatedError without saying which of the two was wrong, or OverloadedError."""
    now = now or utc_now()
    username = username[:MAX_USERNAME_LENGTH]
    async with desk.database.session(anonymous_context(visit)) as session:
        known = await queries.find_known_browser(
            session, printable(username), hash_secret(visit.browser_secret), now
        )
        admission = await admit(session, _password_buckets(desk, visit, username, known), now)
        user = await find_user(session, username)
        await note_refusal(session, admission, username, "password")
    refuse_when_full(admission)
    stored = user.password_hash if user is not None and user.enabled else None
    fits = await anyio.to_thread.run_sync(is_password, stored, password[:MAX_LENGTH])
    if user is None or not fits:
        await note_failure(desk, visit, username, "password")
        raise UnauthenticatedError("The username or password is wrong.")
    async with desk.database.session(user_context(user, visit)) as session:
        await take_back(session, admission.counted)
        return await open_or_challenge(
            desk, session, visit, user.id, method="password", next_path=next_path, now=now
        )


def _password_buckets(
    desk: SignInDesk, visit: Visit, username: str, known: KnownBrowser | None
) -> tuple[Bucket, ...]:
    """What a wrong password counts against. In a browser that the account knows nothing that strangers do counts."""
    if known is not None:
        return (browser_bucket(known.id),)
    address = desk.address_bucket(visit)
    return address, account_address_bucket(username, address), account_bucket(username)


async def open_or_challenge(
    desk: SignInDesk,
    session: AsyncSession,
    visit: Visit,
    user_id: UUID,
    *,
    method: str,
    next_path: str,
    now: datetime,
    second_factor: str | None = None,
    provider_id: UUID | None = None,
    provider_tokens: bytes | None = None,
) -> Opened | Challenged:
    """Open a session for a user whose first factor holds, or ask for the second one that they have.

    `second_factor` says which one was shown already. Raises UnauthenticatedError for a user who was disabled.
    """
    user = await session.scalar(select(User).where(User.id == user_id, User.enabled))
    if user is None:
        raise UnauthenticatedError("The account is disabled.")
    if second_factor is None and await queries.has_factor(session, user.id):
        secret = make_secret(CHALLENGE_PREFIX)
        challenge = SignInChallenge(
            user_id=user.id,
            secret_hash=hash_secret(secret),
            purpose="second_factor",
            method=method,
            next_path=next_path,
            provider_id=provider_id,
            provider_tokens=provider_tokens,
            expires_at=now + CHALLENGE_LIFETIME,
        )
        session.add(challenge)
        await session.flush()
        return Challenged(secret)
    if visit.session_secret:
        await queries.end_session_of_secret(session, hash_secret(visit.session_secret))
    signed_in = await open_session(
        session,
        user,
        visit.browser,
        now=now,
        lifetime=desk.lifetime,
        method=method,
        has_second_factor=second_factor is not None,
        provider_id=provider_id,
        provider_tokens=provider_tokens,
    )
    details = {"method": method} | ({"second_factor": second_factor} if second_factor else {})
    await record_event(
        session, "session.sign_in", "session", str(signed_in.session_id), user.username, details=details
    )
    browser_secret = await _remember_browser(session, user, visit.browser_secret, now)
    return Opened(signed_in.secret, browser_secret, user.id, next_path)


async def _remember_browser(session: AsyncSession, user: User, secret: str, now: datetime) -> str:
    known = await queries.find_known_browser(session, user.username, hash_secret(secret), now)
    if known is not None:
        known.last_used_at = now
        await session.flush()
        return secret
    secret = make_secret(BROWSER_PREFIX)
    session.add(
        KnownBrowser(user_id=user.id, secret_hash=hash_secret(secret), created_at=now, last_used_at=now)
    )
    await session.flush()
    return secret


async def find_half_done(desk: SignInDesk, visit: Visit) -> tuple[SignInChallenge, queries.Factors] | None:
    """The sign-in of this browser that waits for a second factor, and what its user may show."""
    async with desk.database.session() as session:
        challenge = await _challenge_of(session, visit, "second_factor", utc_now())
        if challenge is None or challenge.user_id is None:
            return None
        return challenge, await queries.factors_of(session, challenge.user_id)


async def finish_sign_in(
    desk: SignInDesk,
    visit: Visit,
    proof: Proof,
    party: passkeys.RelyingParty | None,
    now: datetime | None = None,
) -> Opened:
    """Check the second factor and open the session. Raises UnauthenticatedError or OverloadedError."""
    now = now or utc_now()
    async with desk.database.session(anonymous_context(visit)) as session:
        challenge = await _challenge_of(session, visit, "second_factor", now)
        user = await session.get(User, challenge.user_id) if challenge is not None else None
        if challenge is None or user is None:
            raise UnauthenticatedError("The sign-in took too long; start again.")
        known = await queries.find_known_browser(
            session, user.username, hash_secret(visit.browser_secret), now
        )
        buckets = [factor_bucket(user.id, known.id if known else None)]
        if known is None:
            buckets.append(desk.address_bucket(visit))
        admission = await admit(session, buckets, now)
        await note_refusal(session, admission, user.username, proof.kind)
        is_allowed = not admission.wait_seconds and await queries.count_attempt(
            session, challenge.id, CHALLENGE_ATTEMPTS
        )
    refuse_when_full(admission)
    if not is_allowed:
        raise UnauthenticatedError("Too many wrong attempts. Sign in again.")
    async with desk.database.session(user_context(user, visit)) as session:
        holds = await check_proof(desk, session, user.id, proof, party, challenge.webauthn_challenge, now)
        if holds and await queries.take_challenge(session, challenge.id):
            await take_back(session, admission.counted)
            opened = await open_or_challenge(
                desk,
                session,
                visit,
                user.id,
                method=challenge.method,
                next_path=challenge.next_path,
                now=now,
                second_factor=proof.kind,
                provider_id=challenge.provider_id,
                provider_tokens=challenge.provider_tokens,
            )
            if isinstance(opened, Opened):
                return opened
    await note_failure(desk, visit, user.username, proof.kind)
    raise UnauthenticatedError("That was not correct. Try again.")


async def check_proof(
    desk: SignInDesk,
    session: AsyncSession,
    user_id: UUID,
    proof: Proof,
    party: passkeys.RelyingParty | None,
    challenge: bytes | None,
    now: datetime,
) -> bool:
    """Whether a factor of a user holds; uses it up where it is good only once."""
    if proof.passkey is not None:
        owner = await _owner_of_passkey(session, proof.passkey, party, challenge, now)
        return owner == user_id
    if proof.recovery_code:
        return await recovery_codes.use_code(session, user_id, proof.recovery_code, now)
    device = (await queries.factors_of(session, user_id)).totp
    if device is None:
        return False
    secret = totp.open_secret(desk.sealer, user_id, device.secret_sealed)
    step = totp.matching_step(secret, proof.code, now, device.last_step)
    return step is not None and await queries.take_totp_step(session, device.id, step)


async def _owner_of_passkey(
    session: AsyncSession,
    answer: Mapping[str, Any],
    party: passkeys.RelyingParty | None,
    challenge: bytes | None,
    now: datetime,
) -> UUID | None:
    if party is None or challenge is None:
        return None
    try:
        passkey = await queries.find_passkey(session, passkeys.credential_id_of(answer))
        if passkey is None:
            return None
        passkey.sign_count = passkeys.check_proof(party, answer, challenge, passkey)
    except passkeys.PasskeyError:
        return None
    passkey.last_used_at = now
    await session.flush()
    return passkey.user_id


async def ask_for_passkey(
    desk: SignInDesk, visit: Visit, party: passkeys.RelyingParty, now: datetime | None = None
) -> tuple[passkeys.Question, str]:
    """Ask the browser for a passkey: as the second factor of its half-done sign-in, else to sign in with it alone.

    Returns the question, and the secret for the challenge's cookie.
    """
    now = now or utc_now()
    async with desk.database.session(anonymous_context(visit)) as session:
        challenge = await _challenge_of(session, visit, "second_factor", now)
        if challenge is not None and challenge.user_id is not None:
            factors = await queries.factors_of(session, challenge.user_id)
            question = passkeys.ask_to_prove(party, factors.passkeys)
            await queries.set_webauthn_challenge(session, challenge.id, question.challenge)
            return question, visit.challenge_secret
        question, secret = passkeys.ask_to_prove(party, ()), make_secret(CHALLENGE_PREFIX)
        session.add(
            SignInChallenge(
                secret_hash=hash_secret(secret),
                purpose="passkey",
                method="passkey",
                webauthn_challenge=question.challenge,
                expires_at=now + CHALLENGE_LIFETIME,
            )
        )
        await session.flush()
        return question, secret


async def sign_in_with_passkey(
    desk: SignInDesk,
    visit: Visit,
    answer: Mapping[str, Any],
    party: passkeys.RelyingParty,
    now: datetime | None = None,
) -> Opened:
    """Finish what `ask_for_passkey` began. Raises UnauthenticatedError or OverloadedError."""
    now = now or utc_now()
    async with desk.database.session(anonymous_context(visit)) as session:
        challenge = await _challenge_of(session, visit, "passkey", now)
    if challenge is None:
        return await finish_sign_in(desk, visit, Proof(passkey=answer), party, now)
    async with desk.database.session(anonymous_context(visit)) as session:
        known = await queries.find_browser(session, hash_secret(visit.browser_secret), now)
        bucket = desk.address_bucket(visit) if known is None else browser_bucket(known.id)
        admission = await admit(session, (bucket,), now)
        await note_refusal(session, admission, "", "passkey")
        is_ours = not admission.wait_seconds and await queries.take_challenge(session, challenge.id)
    refuse_when_full(admission)
    if is_ours:
        async with desk.database.session(anonymous_context(visit)) as session:
            owner = await _owner_of_passkey(session, answer, party, challenge.webauthn_challenge, now)
            user = await session.get(User, owner) if owner is not None else None
        if user is not None and user.enabled:
            async with desk.database.session(user_context(user, visit)) as session:
                await take_back(session, admission.counted)
                opened = await open_or_challenge(
                    desk,
                    session,
                    visit,
                    user.id,
                    method="passkey",
                    next_path="/",
                    now=now,
                    second_factor="passkey",
                )
            if isinstance(opened, Opened):
                return opened
    await note_failure(desk, visit, "", "passkey")
    raise UnauthenticatedError("This passkey is unknown.")


async def _challenge_of(
    session: AsyncSession, visit: Visit, purpose: str, now: datetime
) -> SignInChallenge | None:
    return await queries.find_challenge(session, hash_secret(visit.challenge_secret), purpose, now)
