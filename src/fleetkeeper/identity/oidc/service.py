"""Making, changing, testing and removing providers."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.engine import let_go
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_grantable, check_lasting, check_permissions, check_removable
from fleetkeeper.identity.oidc import queries
from fleetkeeper.identity.oidc.client import OidcClient, ProviderError, check_address
from fleetkeeper.identity.oidc.models import IdentityProvider
from fleetkeeper.identity.oidc.presets import PRESETS, Preset
from fleetkeeper.identity.oidc.schemas import (
    ProviderCheck,
    ProviderCreate,
    ProviderPage,
    ProviderRead,
    ProviderUpdate,
)
from fleetkeeper.identity.oidc.tokens import seal_client_secret
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users.administrators import administrators_kept
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.sealing import Sealer

# These stand for all organizations at once: their tokens name another issuer.
_SHARED_TENANTS = frozenset({"common", "consumers", "organizations"})
# What decides who a provider's word is taken from, and on what.
_TRUSTED = frozenset(
    {
        "client_id",
        "client_secret",
        "enabled",
        "groups_claim",
        "hosted_domain",
        "issuer",
        "scim_claim",
        "scopes",
    }
)


async def list_providers(session: AsyncSession, parameters: Sequence[tuple[str, str]]) -> ProviderPage:
    """Providers, filtered and ordered as the parameters say."""
    page = await queries.PROVIDERS.page(session, queries.all_providers(), parameters)
    return ProviderPage(
        count=page.count, next=page.next, previous=page.previous, results=[_read(row[0]) for row in page.rows]
    )


async def provider_names(session: AsyncSession) -> list[tuple[UUID, str, str]]:
    """Id, slug and name of each provider, by name."""
    rows = await session.execute(
        select(IdentityProvider.id, IdentityProvider.slug, IdentityProvider.name).order_by(
            IdentityProvider.name, IdentityProvider.id
        )
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def get_provider(session: AsyncSession, provider_id: UUID) -> ProviderRead:
    """One provider. Raises NotFoundError."""
    return _read(await _find(session, provider_id))


async def create_provider(
    session: AsyncSession, sealer: Sealer, actor: Actor, wanted: ProviderCreate
) -> ProviderRead:
    """Make a provider. Raises InvalidInputError, ConflictError, or ForbiddenError as a change does."""
    facts, problem = PRESETS[wanted.preset], "The provider was not made."
    issuer = wanted.issuer
    if issuer is None:
        if facts.issuer is None or "{" in facts.issuer:
            raise InvalidInputError(problem, fields=[FieldError("issuer", "is needed")])
        issuer = facts.issuer
    scopes = wanted.scopes or facts.scopes
    _check(wanted.preset, issuer, scopes, problem)
    check_lasting(actor)
    _check_may_vouch(actor, wanted.scim_claim)
    if await session.scalar(select(IdentityProvider.id).where(IdentityProvider.slug == wanted.slug)):
        taken = FieldError("slug", "Another provider has this slug")
        raise ConflictError("The provider was not made.", fields=[taken])
    provider_id = uuid7()
    secret = wanted.client_secret
    provider = IdentityProvider(
        id=provider_id,
        slug=wanted.slug,
        name=wanted.name.strip(),
        preset=wanted.preset.value,
        issuer=issuer,
        client_id=wanted.client_id,
        client_secret_sealed=seal_client_secret(sealer, provider_id, secret.get_secret_value())
        if secret
        else None,
        scopes=scopes,
        groups_claim=wanted.groups_claim or facts.groups_claim,
        hosted_domain=wanted.hosted_domain,
        scim_claim=wanted.scim_claim,
        enabled=wanted.enabled,
        creates_users=wanted.creates_users,
        recheck_seconds=wanted.recheck_seconds,
    )
    session.add(provider)
    await session.flush()
    await session.refresh(provider)
    return _read(provider)


async def update_provider(
    session: AsyncSession, sealer: Sealer, actor: Actor, provider_id: UUID, changes: ProviderUpdate
) -> ProviderRead:
    """Change a provider. Who says who is in its groups gives out what these give.

    Raises NotFoundError, InvalidInputError, or ForbiddenError for roles of its groups that the actor could not give.
    """
    provider = await _find(session, provider_id)
    # A secret cannot be compared: it counts as another one.
    if any(
        name == "client_secret" or getattr(changes, name) != getattr(provider, name)
        for name in changes.model_fields_set & _TRUSTED
    ):
        check_lasting(actor)
        await _check_roles_grantable(session, actor, provider_id)
        _check_may_vouch(actor, provider.scim_claim, changes.scim_claim)
    values: dict[str, Any] = {
        name: getattr(changes, name) for name in changes.model_fields_set if name != "client_secret"
    }
    issuer, scopes = values.get("issuer", provider.issuer), values.get("scopes", provider.scopes)
    _check(Preset(provider.preset), issuer, scopes, "The provider was not changed.")
    if "client_secret" in changes.model_fields_set:
        secret = changes.client_secret
        values["client_secret_sealed"] = (
            seal_client_secret(sealer, provider.id, secret.get_secret_value()) if secret else None
        )
    for name, value in values.items():
        setattr(provider, name, value)
    await session.flush()
    await session.refresh(provider)
    return _read(provider)


async def delete_provider(session: AsyncSession, actor: Actor, provider_id: UUID) -> None:
    """Remove a provider, its groups, and who its users are here. Sessions through it end.

    Raises NotFoundError, ForbiddenError for roles of its groups that the actor could not take away, ConflictError for
    the last administrators.
    """
    provider = await _find(session, provider_id)
    for role in await queries.roles_of_groups(session, provider_id):
        check_removable(actor, role.name, role.permissions, role.department_id)
    async with administrators_kept(session):
        await session.delete(provider)


def _check_may_vouch(actor: Actor, *scim_claims: str | None) -> None:
    """Raise ForbiddenError where a provider may sign in to accounts of SCIM, and these may do more than the actor.

    Which accounts there will be, and what they may do, nobody can say beforehand: so the actor may do everything.
    """
    if any(scim_claims):
        check_permissions(actor, Permission)


async def _check_roles_grantable(session: AsyncSession, actor: Actor, provider_id: UUID) -> None:
    for role in await queries.roles_of_groups(session, provider_id):
        check_grantable(actor, role.name, role.permissions, role.department_id)


async def check_provider(session: AsyncSession, client: OidcClient, provider_id: UUID) -> ProviderCheck:
    """Ask a provider for its description and its keys. Raises NotFoundError."""
    provider = await _find(session, provider_id)
    await let_go(session)
    try:
        metadata = await client.metadata(provider.issuer, anew=True)
        keys = await client.keys(metadata, None)
    except ProviderError as error:
        return ProviderCheck(works=False, detail=str(error))
    return ProviderCheck(
        works=True,
        detail=f"The provider answers, and has {len(keys)} key{'' if len(keys) == 1 else 's'}.",
        authorization_endpoint=metadata.authorization_endpoint,
        has_userinfo=metadata.userinfo_endpoint is not None,
    )


def _check(preset: Preset, issuer: str, scopes: str, problem: str) -> None:
    fields = []
    template = PRESETS[preset].issuer
    try:
        check_address(issuer)
    except ProviderError as error:
        fields.append(FieldError("issuer", str(error)))
    else:
        if template is not None and not _fits(template, issuer):
            fields.append(
                FieldError("issuer", f"is {template.replace('{tenant}', '<the tenant id>')} for this kind")
            )
        elif "?" in issuer or "#" in issuer:
            fields.append(FieldError("issuer", "has no ? and no #"))
    if "openid" not in scopes.split():
        fields.append(FieldError("scopes", "hold openid"))
    if fields:
        raise InvalidInputError(problem, fields=fields)


def _fits(template: str, issuer: str) -> bool:
    before, marker, after = template.partition("{tenant}")
    if not marker:
        return issuer == template
    match = re.fullmatch(re.escape(before) + r"([A-Za-z0-9.-]+)" + re.escape(after), issuer)
    return match is not None and match[1].lower() not in _SHARED_TENANTS


async def _find(session: AsyncSession, provider_id: UUID) -> IdentityProvider:
    provider = await session.scalar(select(IdentityProvider).where(IdentityProvider.id == provider_id))
    if provider is None:
        raise NotFoundError("There is no such provider.")
    return provider


def _read(provider: IdentityProvider) -> ProviderRead:
    names = [name for name in ProviderRead.model_fields if name != "has_client_secret"]
    return ProviderRead(
        has_client_secret=provider.client_secret_sealed is not None,
        **{name: getattr(provider, name) for name in names},
    )
