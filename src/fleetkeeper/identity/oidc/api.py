"""`/api/v1/identity-providers`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.oidc import service
from fleetkeeper.identity.oidc.access import InstallationSealer, Providers, ProvidersRead, ProvidersWrite
from fleetkeeper.identity.oidc.queries import PROVIDERS as PROVIDERS_LISTING
from fleetkeeper.identity.oidc.schemas import (
    ProviderCheck,
    ProviderCreate,
    ProviderPage,
    ProviderRead,
    ProviderUpdate,
)
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/identity-providers", tags=["identity providers"])
ProvidersQuery = Annotated[ListParameters, listed_by(PROVIDERS_LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_providers(
    request: Request, actor: ProvidersRead, session: Session, asked: ProvidersQuery
) -> ProviderPage:
    """List identity providers."""
    del actor
    page = await service.list_providers(session, asked)
    return with_links(page, request.url.path)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_provider(
    wanted: ProviderCreate, actor: ProvidersWrite, session: Session, sealer: InstallationSealer
) -> ProviderRead:
    """Make an identity provider. Its client secret cannot be read again."""
    return await service.create_provider(session, sealer, actor, wanted)


add_export(
    router,
    "identity providers",
    Permission.PROVIDERS_READ,
    ProviderRead,
    "identity_providers",
    lambda session, _, parameters: service.list_providers(session, parameters),
)


@router.get("/{provider_id}", responses=problem_responses(401, 403, 404, 422))
async def get_provider(provider_id: UUID, actor: ProvidersRead, session: Session) -> ProviderRead:
    """Get one identity provider."""
    del actor
    return await service.get_provider(session, provider_id)


@router.patch("/{provider_id}", responses=problem_responses(400, 401, 403, 404, 422))
async def update_provider(
    provider_id: UUID,
    changes: ProviderUpdate,
    actor: ProvidersWrite,
    session: Session,
    sealer: InstallationSealer,
) -> ProviderRead:
    """Change an identity provider."""
    return await service.update_provider(session, sealer, actor, provider_id, changes)


@router.delete("/{provider_id}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def delete_provider(provider_id: UUID, actor: ProvidersWrite, session: Session) -> None:
    """Remove an identity provider and its groups. Sessions through it end."""
    await service.delete_provider(session, actor, provider_id)


@router.post("/{provider_id}/check", responses=problem_responses(401, 403, 404, 422))
async def check_provider(
    provider_id: UUID, actor: ProvidersWrite, session: Session, client: Providers
) -> ProviderCheck:
    """Ask a provider for its description and its keys."""
    del actor
    return await service.check_provider(session, client, provider_id)
