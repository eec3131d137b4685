"""The SQL of providers, their accounts and groups, and sign-ins under way."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Select, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.models import BrowserSession, Group, GroupMember, User
from fleetkeeper.identity.oidc.models import IdentityProvider, OidcFlow, UserIdentity
from fleetkeeper.kit.listing import Field, Listing

PROVIDERS = Listing(
    fields={
        "slug": Field(IdentityProvider.slug.expression, str),
        "name": Field(IdentityProvider.name.expression, str),
        "preset": Field(IdentityProvider.preset.expression, str),
        "enabled": Field(IdentityProvider.enabled.expression, bool),
        "created_at": Field(IdentityProvider.created_at.expression, datetime),
    },
    search=(IdentityProvider.name.expression, IdentityProvider.slug.expression),
    key=IdentityProvider.id.expression,
    default_ordering="name",
)


def all_providers() -> Select[IdentityProvider]:
    """Every provider; who may read one may read all."""
    return select(IdentityProvider)


async def enabled_providers(session: AsyncSession) -> Sequence[IdentityProvider]:
    """Those that the sign-in page offers."""
    rows = await session.scalars(
        select(IdentityProvider).where(IdentityProvider.enabled).order_by(func.lower(IdentityProvider.name))
    )
    return rows.all()


async def find_provider(session: AsyncSession, slug: str) -> IdentityProvider | None:
    """The enabled provider of that slug."""
    found: IdentityProvider | None = await session.scalar(
        select(IdentityProvider).where(IdentityProvider.slug == slug, IdentityProvider.enabled)
    )
    return found


async def take_flow(session: AsyncSession, state_hash: bytes, now: datetime) -> OidcFlow | None:
    """The sign-in under way of a state, which is used up by this."""
    found: OidcFlow | None = await session.scalar(
        delete(OidcFlow)
        .where(OidcFlow.state_hash == state_hash, OidcFlow.expires_at > now)
        .returning(OidcFlow)
        .execution_options(synchronize_session=False)
    )
    return found


async def lock_account(session: AsyncSession, issuer: str, subject: str) -> None:
    """Let two first sign-ins of one account follow each other."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"oidc:{issuer}|{subject}"}
    )


async def find_identity(session: AsyncSession, issuer: str, subject: str) -> tuple[UserIdentity, User] | None:
    """The account of a provider's user."""
    row = (
        await session.execute(
            select(UserIdentity, User)
            .join(User, User.id == UserIdentity.user_id)
            .where(UserIdentity.issuer == issuer, UserIdentity.subject == subject)
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


async def find_provisioned_user(session: AsyncSession, issuer: str, external_id: str) -> User | None:
    """The account of SCIM with that external id, unless it belongs to another user of the issuer already."""
    found: User | None = await session.scalar(
        select(User).where(
            User.source == "scim",
            User.external_id == external_id,
            ~exists().where(UserIdentity.user_id == User.id, UserIdentity.issuer == issuer),
        )
    )
    return found


async def free_username(session: AsyncSession, wanted: str) -> str | None:
    """The name, or the first of `name-2`, `name-3`, … that nobody has; None where a thousand have it."""
    found: str | None = await session.scalar(
        text(
            """
            SELECT names.name FROM (
                SELECT CAST(:wanted AS text) AS name, 1 AS number
                UNION ALL SELECT CAST(:wanted AS text) || '-' || number, number FROM generate_series(2, 1000) AS number
            ) AS names
            WHERE NOT EXISTS (SELECT FROM users WHERE lower(username) = lower(names.name))
            ORDER BY names.number LIMIT 1
            """
        ),
        {"wanted": wanted},
    )
    return found


async def is_email_taken(session: AsyncSession, email: str) -> bool:
    """Whether another account has the address."""
    return bool(
        await session.scalar(select(User.id).where(func.lower(User.email) == func.lower(email)).limit(1))
    )


async def set_groups(session: AsyncSession, provider_id: UUID, user_id: UUID, names: Collection[str]) -> None:
    """Make a user a member of exactly those groups of a provider that have these names."""
    ours = select(Group.id).where(Group.provider_id == provider_id)
    wanted = ours.where(Group.name.in_(list(names)))
    await session.execute(
        delete(GroupMember)
        .where(
            GroupMember.user_id == user_id,
            GroupMember.group_id.in_(ours),
            GroupMember.group_id.not_in(wanted),
        )
        .execution_options(synchronize_session=False)
    )
    found = (await session.scalars(wanted)).all()
    held = (
        await session.scalars(
            select(GroupMember.group_id).where(
                GroupMember.user_id == user_id, GroupMember.group_id.in_(found)
            )
        )
    ).all()
    missing = [{"group_id": group, "user_id": user_id} for group in found if group not in set(held)]
    if missing:
        await session.execute(insert(GroupMember).values(missing).on_conflict_do_nothing())


async def roles_of_groups(session: AsyncSession, provider_id: UUID) -> Sequence[Any]:
    """What the groups of a provider give: name, department_id, permissions."""
    rows = await session.execute(
        text(
            """
            SELECT r.name, m.department_id,
                   ARRAY(SELECT p.permission FROM role_permissions p WHERE p.role_id = r.id) AS permissions
            FROM groups g JOIN memberships m ON m.group_id = g.id JOIN roles r ON r.id = m.role_id
            WHERE g.provider_id = :provider
            """
        ),
        {"provider": provider_id},
    )
    return rows.all()


async def claim_check(session: AsyncSession, session_id: UUID, seen: datetime | None, now: datetime) -> bool:
    """Take it on to ask the provider; false when another request did since `seen`."""
    outcome = await session.execute(
        update(BrowserSession)
        .where(BrowserSession.id == session_id, BrowserSession.provider_asked_at.is_not_distinct_from(seen))
        .values(provider_asked_at=now)
        .execution_options(synchronize_session=False)
    )
    return isinstance(outcome, CursorResult) and outcome.rowcount == 1


async def note_check(
    session: AsyncSession, session_id: UUID, now: datetime, tokens: bytes | None = None
) -> None:
    """The provider has answered; `tokens` when there are new ones."""
    values: dict[str, object] = {"provider_checked_at": now}
    if tokens is not None:
        values["provider_tokens"] = tokens
    await session.execute(
        update(BrowserSession)
        .where(BrowserSession.id == session_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
