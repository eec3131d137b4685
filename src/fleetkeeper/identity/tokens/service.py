"""Making, limiting, rotating and revoking API tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.status_history import note_move
from fleetkeeper.errors import FieldError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity import queries as identity_queries
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_acts_for_account, within
from fleetkeeper.identity.limits import Limits, limits_from
from fleetkeeper.identity.models import ApiToken, Department, User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.service import TOKEN_PREFIX, actor_of_user
from fleetkeeper.identity.tokens import queries
from fleetkeeper.identity.tokens.limits import check_limits
from fleetkeeper.identity.tokens.presets import Preset, permissions_of
from fleetkeeper.identity.tokens.schemas import TokenCreate, TokenCreated, TokenPage, TokenRead, TokenUpdate
from fleetkeeper.identity.tokens.status import TOKENS, TokenState, state_of
from fleetkeeper.identity.users.service import is_name
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.id_prefix import begins_with
from fleetkeeper.kit.secrets import hash_secret, make_secret


async def create_token(
    session: AsyncSession,
    username: str,
    name: str,
    *,
    now: datetime,
    expires_at: datetime | None = None,
    limits: Limits | None = None,
    preset: Preset | None = None,
) -> str:
    """Make an API token for a user and return it; it cannot be shown again.

    For the product itself: who may do so is not asked, but the token has no more than its user.
    A preset replaces the permissions of the limits.
    """
    user = await identity_queries.find_user(session, username)
    if user is None:
        raise InvalidInputError(
            "The token was not created.", fields=[FieldError("user", f"there is no user {username!r}")]
        )
    if not is_name(name):
        raise InvalidInputError(
            "The token was not created.", fields=[FieldError("name", "has 1 to 100 characters")]
        )
    if preset is not None:
        permissions = permissions_of(await actor_of_user(session, user), preset)
        limits = replace(limits or Limits(), permissions=permissions)
    if limits is not None:
        await _check(session, await actor_of_user(session, user), limits, now)
    wanted = replace(limits or Limits(), expires_at=expires_at)
    _, secret = await _make(session, user.id, None, name, wanted, now)
    return secret


async def create_own_token(
    session: AsyncSession, actor: Actor, wanted: TokenCreate, now: datetime
) -> TokenCreated:
    """Make a token of the actor's own; its secret stands in the answer and nowhere else.

    A token makes only tokens that may do no more than itself. Raises InvalidInputError, ForbiddenError.
    """
    user_id = _user_of(actor)
    asked = _limits(wanted)
    if wanted.preset is not None:
        asked = replace(asked, permissions=permissions_of(actor, wanted.preset))
    limits = await _allowed(session, actor, asked, now)
    token, secret = await _make(session, user_id, actor.user_id, wanted.name, limits, now)
    return TokenCreated(**_read(token, actor.name).model_dump(), token=secret)


async def list_tokens(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]], *, own: bool = False
) -> TokenPage:
    """One page of the tokens that the actor may see, or of their own only."""
    statement = queries.visible_to(actor)
    if own:
        statement = statement.where(ApiToken.user_id == actor.user_id)
    page = await queries.LISTING.page(session, statement, parameters)
    results = [_read(row[0], row[1]) for row in page.rows]
    return TokenPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def get_token(session: AsyncSession, actor: Actor, token_id: UUID) -> TokenRead:
    """One token. Raises NotFoundError."""
    token, username = await _visible(session, actor, token_id)
    return _read(token, username)


async def update_token(
    session: AsyncSession, actor: Actor, token_id: UUID, changes: TokenUpdate, now: datetime
) -> TokenRead:
    """Change the name and the limits of one's own token, up to one's own rights.

    Raises NotFoundError, ForbiddenError for somebody else's, InvalidInputError.
    """
    token, username = await _own(session, actor, token_id)
    present = limits_from(token.permissions, token.departments, token.allowed_networks, token.expires_at)
    given = _limits(changes)
    limited = changes.model_fields_set - {"name"}
    if limited:
        wanted = replace(present, **{name: getattr(given, name) for name in limited})
        _store(token, await _allowed(session, actor, wanted, now))
    if changes.name is not None:
        token.name = changes.name
    await session.flush()
    await session.refresh(token)
    return _read(token, username)


async def rotate_token(
    session: AsyncSession, actor: Actor, token_id: UUID, overlap: timedelta, now: datetime
) -> TokenCreated:
    """Give one's own token a new secret; the old one works until the overlap has passed.

    Raises NotFoundError, and ForbiddenError for somebody else's: its secret would let the actor act as them.
    """
    token, username = await _own(session, actor, token_id)
    secret = await _rotate(session, token, overlap, now)
    return TokenCreated(**_read(token, username).model_dump(), token=secret)


async def rotate_by_command(session: AsyncSession, token_id: UUID, overlap: timedelta, now: datetime) -> str:
    """Give anybody's token a new secret, for whoever may read this machine's files. Raises NotFoundError."""
    token = await session.get(ApiToken, token_id)
    if token is None:
        raise NotFoundError("There is no such token.")
    return await _rotate(session, token, overlap, now)


async def _rotate(session: AsyncSession, token: ApiToken, overlap: timedelta, now: datetime) -> str:
    secret = make_secret(TOKEN_PREFIX)
    token.previous_secret_hash = token.secret_hash if overlap else None
    token.previous_expires_at = now + overlap if overlap else None
    token.secret_hash = hash_secret(secret)
    await session.flush()
    return secret


async def revoke_token(session: AsyncSession, actor: Actor, token_id: UUID) -> None:
    """Refuse a token from now on. Raises NotFoundError, ForbiddenError."""
    token, _ = await _visible(session, actor, token_id)
    if not actor.may_everywhere(Permission.TOKENS_WRITE):
        await _own(session, actor, token_id)
    await _revoke(session, token)


async def revoke_own_token(session: AsyncSession, actor: Actor, token_id: UUID) -> None:
    """Revoke one of one's own tokens. Raises NotFoundError, ForbiddenError."""
    token, _ = await _own(session, actor, token_id)
    await _revoke(session, token)


async def _revoke(session: AsyncSession, token: ApiToken) -> None:
    await note_move(session, TOKENS, token, state_of(token, utc_now()), TokenState.REVOKED)
    await session.delete(token)
    await session.flush()


async def find_token(session: AsyncSession, actor: Actor, wanted: str, user: str | None) -> TokenRead:
    """A token by its name, its ID or a beginning of that, where only one fits. Raises InvalidInputError."""
    statement = queries.visible_to(actor)
    if user is not None:
        statement = statement.where(User.username == user)
    rows: Sequence[Any] = ()
    for condition in (ApiToken.name == wanted, begins_with(ApiToken.id.expression, wanted)):
        if not rows and condition is not None:
            rows = (await session.execute(statement.where(condition).limit(2))).all()
    if len(rows) != 1:
        problem = "several tokens fit; give the whole ID" if rows else f"there is no token {wanted!r}"
        raise InvalidInputError("The token is unknown.", fields=[FieldError("token", problem)])
    return _read(rows[0][0], rows[0][1])


def _user_of(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise ForbiddenError("Only users have tokens.")
    if actor.must_enrol_second_factor:
        raise ForbiddenError("Your role requires a second factor. Set one up under My account first.")
    return actor.user_id


async def _allowed(session: AsyncSession, actor: Actor, wanted: Limits, now: datetime) -> Limits:
    """The wanted limits, within those of the token that asks."""
    await _check(session, actor, wanted, now)
    return within(actor, wanted)


async def _check(session: AsyncSession, actor: Actor, wanted: Limits, now: datetime) -> None:
    known: Iterable[UUID] = ()
    if wanted.departments:
        known = await session.scalars(select(Department.id).where(Department.id.in_(wanted.departments)))
    check_limits(actor, wanted, frozenset(known), now)


async def _make(
    session: AsyncSession, user_id: UUID, created_by: UUID | None, name: str, limits: Limits, now: datetime
) -> tuple[ApiToken, str]:
    secret = make_secret(TOKEN_PREFIX)
    token = ApiToken(
        user_id=user_id, name=name, secret_hash=hash_secret(secret), created_at=now, created_by=created_by
    )
    _store(token, limits)
    session.add(token)
    await session.flush()
    return token, secret


def _store(token: ApiToken, limits: Limits) -> None:
    networks, departments = limits.allowed_networks, limits.departments
    token.permissions = None if limits.permissions is None else sorted(set(map(str, limits.permissions)))
    token.departments = None if departments is None else sorted(set(departments))
    token.allowed_networks = None if networks is None else sorted(set(map(str, networks)))
    token.expires_at = limits.expires_at


def _limits(wanted: TokenCreate | TokenUpdate) -> Limits:
    return Limits(wanted.permissions, wanted.departments, wanted.allowed_networks, wanted.expires_at)


async def _visible(session: AsyncSession, actor: Actor, token_id: UUID) -> tuple[ApiToken, str]:
    row = (await session.execute(queries.visible_to(actor).where(ApiToken.id == token_id))).one_or_none()
    if row is None:
        raise NotFoundError("There is no such token.")
    return row[0], row[1]


async def _own(session: AsyncSession, actor: Actor, token_id: UUID) -> tuple[ApiToken, str]:
    """A token that the actor may change: one's own; for a token with limits, itself alone."""
    token, username = await _visible(session, actor, token_id)
    if token.user_id != _user_of(actor):
        raise ForbiddenError("This token belongs to somebody else. Only its user can change it.")
    if token.id != actor.token_id:
        check_acts_for_account(actor)
    return token, username


def _read(token: ApiToken, username: str) -> TokenRead:
    networks: Any = token.allowed_networks
    return TokenRead(
        id=token.id,
        user_id=token.user_id,
        username=username,
        name=token.name,
        state=state_of(token, utc_now()),
        permissions=token.permissions,
        departments=token.departments,
        allowed_networks=None if networks is None else [str(one) for one in networks],
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        last_used_address=None if token.last_used_address is None else str(token.last_used_address),
        previous_expires_at=token.previous_expires_at,
    )
