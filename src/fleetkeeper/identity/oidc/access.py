"""Who may call the doors of this room, and what they work with."""

from typing import Annotated

from fastapi import Depends, Request

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.oidc.client import OidcClient
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.sealing import Sealer

ProvidersRead = Annotated[Actor, Depends(require(Permission.PROVIDERS_READ))]
ProvidersWrite = Annotated[Actor, Depends(require(Permission.PROVIDERS_WRITE))]


def oidc_client(request: Request) -> OidcClient:
    """What talks to providers."""
    client: OidcClient = request.app.state.oidc
    return client


def installation_sealer(request: Request) -> Sealer:
    """What seals secrets."""
    sealer: Sealer = request.app.state.sealer
    return sealer


Providers = Annotated[OidcClient, Depends(oidc_client)]
InstallationSealer = Annotated[Sealer, Depends(installation_sealer)]
