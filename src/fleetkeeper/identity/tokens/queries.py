"""The SQL of API tokens."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import ApiToken, User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.tokens.status import STATE, TokenState
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(ApiToken.id.expression, UUID, sortable=False),
        "name": Field(ApiToken.name.expression, str),
        "user_id": Field(ApiToken.user_id.expression, UUID, sortable=False),
        "user": Field(User.username.expression, str),
        "state": Field(STATE, str, sortable=False, choices=(TokenState.ACTIVE, TokenState.EXPIRED)),
        "created_at": Field(ApiToken.created_at.expression, datetime),
        "expires_at": Field(ApiToken.expires_at.expression, datetime, null_as="to_timestamp(253402214400)"),
        "last_used_at": Field(ApiToken.last_used_at.expression, datetime, null_as="to_timestamp(0)"),
    },
    search=(ApiToken.name.expression, User.username.expression),
    key=ApiToken.id.expression,
    default_ordering="-created_at",
)


def visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """One's own tokens, or everybody's for those who may see them; each with its user's name."""
    statement: Select[*tuple[Any, ...]] = select(ApiToken, User.username).join(
        User, User.id == ApiToken.user_id
    )
    if actor.may_everywhere(Permission.TOKENS_READ):
        return statement
    return statement.where(ApiToken.user_id == actor.user_id)
