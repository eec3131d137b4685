"""Listing and ending sessions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_acts_for_account
from fleetkeeper.identity.models import BrowserSession
from fleetkeeper.identity.service import end_sessions
from fleetkeeper.identity.sessions import queries
from fleetkeeper.identity.sessions.schemas import SessionPage, SessionRead


async def list_sessions(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    now: datetime,
    idle: timedelta,
) -> SessionPage:
    """One page of everybody's live sessions; `idle` is the time after which an unused one has ended."""
    return await _page(session, actor, queries.live_sessions(now, idle), parameters)


async def list_own_sessions(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    now: datetime,
    idle: timedelta,
) -> SessionPage:
    """One page of the actor's own live sessions."""
    own = queries.live_sessions(now, idle).where(BrowserSession.user_id == actor.user_id)
    return await _page(session, actor, own, parameters)


async def end_session(session: AsyncSession, session_id: UUID) -> None:
    """End anybody's session. Raises NotFoundError."""
    await _end(session, BrowserSession.id == session_id)


async def end_own_session(session: AsyncSession, actor: Actor, session_id: UUID) -> None:
    """End one of the actor's own sessions. Raises NotFoundError, ForbiddenError for a token with limits."""
    check_acts_for_account(actor)
    await _end(session, BrowserSession.id == session_id, BrowserSession.user_id == actor.user_id)


async def _end(session: AsyncSession, *conditions: ColumnElement[bool]) -> None:
    outcome = await session.execute(delete(BrowserSession).where(*conditions))
    if not getattr(outcome, "rowcount", 0):
        raise NotFoundError("There is no such session; it may have ended by itself.")


async def end_other_sessions(session: AsyncSession, actor: Actor) -> int:
    """End all of the actor's sessions but the one that they use now; returns how many.

    Raises ForbiddenError for a token with limits.
    """
    check_acts_for_account(actor)
    return 0 if actor.user_id is None else await end_sessions(session, actor.user_id, but=actor.session_id)


async def _page(
    session: AsyncSession, actor: Actor, statement: Select[Any], parameters: Sequence[tuple[str, str]]
) -> SessionPage:
    page = await queries.LISTING.page(session, statement, parameters)
    results = [_read(row[0], row[1], actor) for row in page.rows]
    return SessionPage(count=page.count, next=page.next, previous=page.previous, results=results)


def _read(browser: BrowserSession, username: str, actor: Actor) -> SessionRead:
    return SessionRead(
        id=browser.id,
        user_id=browser.user_id,
        username=username,
        address=None if browser.address is None else str(browser.address),
        user_agent=browser.user_agent,
        method=browser.method,
        has_second_factor=browser.has_second_factor,
        created_at=browser.created_at,
        last_used_at=browser.last_used_at,
        expires_at=browser.expires_at,
        is_current=browser.id == actor.session_id,
    )
