"""The steps of a sign-in."""

from datetime import datetime, timedelta

import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import UnauthenticatedError
from fleetkeeper.identity import queries
from fleetkeeper.identity.service import Browser, SignedIn, open_session
from fleetkeeper.identity.sign_in.passwords import MAX_LENGTH, is_password


async def sign_in(
    session: AsyncSession,
    username: str,
    password: str,
    browser: Browser,
    *,
    now: datetime,
    lifetime: timedelta,
) -> SignedIn:
    """Check a password and open a session. Raises UnauthenticatedError without saying which of the two was wrong."""
    user = await queries.find_user(session, username[:100])
    stored = user.password_hash if user is not None and user.enabled else None
    fits = await anyio.to_thread.run_sync(is_password, stored, password[:MAX_LENGTH])
    if user is None or not fits:
        raise UnauthenticatedError("The user name or the password is wrong.")
    return await open_session(
        session, user, browser, now=now, lifetime=lifetime, method="password", has_second_factor=False
    )
