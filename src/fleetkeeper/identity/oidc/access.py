"""Who may call the doors of this room, and what they work with."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.oidc.client import OidcClient
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.sealing import Sealer
from fleetkeeper.kit.services import shared

ProvidersRead = Annotated[Actor, Depends(require(Permission.PROVIDERS_READ))]
ProvidersWrite = Annotated[Actor, Depends(require(Permission.PROVIDERS_WRITE))]


Providers = Annotated[OidcClient, Depends(shared(OidcClient))]
InstallationSealer = Annotated[Sealer, Depends(shared(Sealer))]
