"""Which account a provider's user has here, and which of the provider's groups."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ConflictError, ForbiddenError
from fleetkeeper.identity.models import User
from fleetkeeper.identity.oidc import queries
from fleetkeeper.identity.oidc.models import IdentityProvider, UserIdentity

MAX_USERNAME_LENGTH = 100
MAX_GROUPS = 1000
MAX_GROUP_LENGTH = 255


@dataclass(frozen=True)
class ProviderUser:
    """What a provider says of somebody: the subject, which alone identifies them, and the rest."""

    subject: str
    claims: Mapping[str, Any]


async def find_or_create_user(
    session: AsyncSession, provider: IdentityProvider, told: ProviderUser, now: datetime
) -> User:
    """The account of a provider's user, made at the first sign-in where the provider may do that.

    Only issuer and subject count: a mail address may pass to somebody else, or be claimed by anybody. Raises
    ForbiddenError for somebody who has no account and gets none, ConflictError where no name is left.
    """
    await queries.lock_account(session, provider.issuer, told.subject)
    email = _email(told.claims)
    found = await queries.find_identity(session, provider.issuer, told.subject)
    if found is not None:
        identity, user = found
        identity.last_login, identity.email = now, email
        await session.flush()
        return user
    provisioned = await _provisioned_user(session, provider, told)
    user = provisioned or await _new_user(session, provider, told, email)
    session.add(
        UserIdentity(
            user_id=user.id,
            provider_id=provider.id,
            issuer=provider.issuer,
            subject=told.subject,
            email=email,
            created_at=now,
            last_login=now,
        )
    )
    await session.flush()
    return user


async def _provisioned_user(
    session: AsyncSession, provider: IdentityProvider, told: ProviderUser
) -> User | None:
    """The account that the provider made beforehand by SCIM, when its external id is what the chosen claim says."""
    if provider.scim_claim is None:
        return None
    external_id = told.claims.get(provider.scim_claim)
    if not isinstance(external_id, str) or not external_id or not external_id.isprintable():
        return None
    return await queries.find_provisioned_user(session, provider.issuer, external_id)


async def _new_user(
    session: AsyncSession, provider: IdentityProvider, told: ProviderUser, email: str | None
) -> User:
    if not provider.creates_users:
        raise ForbiddenError("You have no account yet. Ask an administrator for one.")
    user = User(
        username=await _free_username(session, told),
        name=_text(told.claims.get("name"), 255),
        email=email if email and not await queries.is_email_taken(session, email) else None,
        source="oidc",
    )
    session.add(user)
    await session.flush()
    return user


async def synchronise_groups(
    session: AsyncSession, provider: IdentityProvider, user: User, claims: Mapping[str, Any]
) -> None:
    """Give a user exactly those of the provider's groups that the claims name. Names unknown here mean nothing."""
    await queries.set_groups(session, provider.id, user.id, group_names(claims, provider.groups_claim))


def group_names(claims: Mapping[str, Any], claim: str) -> frozenset[str]:
    """The groups in claims: a list of names, or one."""
    value = claims.get(claim)
    names = value if isinstance(value, list) else [value]
    return frozenset(
        name
        for name in names[:MAX_GROUPS]
        if isinstance(name, str)
        and 0 < len(name) <= MAX_GROUP_LENGTH
        and "\x00" not in name
        and name.isprintable()
    )


async def _free_username(session: AsyncSession, told: ProviderUser) -> str:
    # Two people of one name at once are told apart by the unique index, as a refusal of the second.
    name = await queries.free_username(session, username_of(told))
    if name is None:
        raise ConflictError("Too many accounts have your name. Ask an administrator for an account.")
    return name


def username_of(told: ProviderUser) -> str:
    """How the account will be called, if nobody is called that."""
    for claim in ("preferred_username", "email", "name"):
        # Room for a suffix.
        name = _text(told.claims.get(claim), MAX_USERNAME_LENGTH - 10)
        if name:
            return name
    return _text(told.subject, MAX_USERNAME_LENGTH - 10) or "user"


def _email(claims: Mapping[str, Any]) -> str | None:
    email = _text(claims.get("email"), 255)
    is_good = is_verified(claims.get("email_verified", True)) and re.fullmatch(r"[^@\s]+@[^@\s]+", email)
    return email if is_good else None


def is_verified(claim: object) -> bool:
    """Whether `email_verified` says so: true, or as some providers write it, the text of it. All else is no."""
    return claim is True or (isinstance(claim, str) and claim.lower() == "true")


def _text(value: object, most: int) -> str:
    if not isinstance(value, str):
        return ""
    return "".join(mark for mark in value if mark.isprintable())[:most].strip()
