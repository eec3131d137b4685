"""The SQL of sessions."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from fleetkeeper.identity.models import BrowserSession, User
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(BrowserSession.id.expression, UUID, sortable=False),
        "user_id": Field(BrowserSession.user_id.expression, UUID, sortable=False),
        "username": Field(User.username.expression, str),
        "method": Field(BrowserSession.method.expression, str),
        "has_second_factor": Field(BrowserSession.has_second_factor.expression, bool, sortable=False),
        "created_at": Field(BrowserSession.created_at.expression, datetime),
        "last_used_at": Field(BrowserSession.last_used_at.expression, datetime),
    },
    search=(User.username.expression, BrowserSession.user_agent.expression),
    key=BrowserSession.id.expression,
    default_ordering="-last_used_at",
)


def live_sessions(now: datetime, idle: timedelta) -> Select[*tuple[Any, ...]]:
    """Sessions that can still be used, each with its user's name."""
    statement: Select[*tuple[Any, ...]] = (
        select(BrowserSession, User.username)
        .join(User, User.id == BrowserSession.user_id)
        .where(BrowserSession.expires_at > now, BrowserSession.last_used_at > now - idle, User.enabled)
    )
    return statement
