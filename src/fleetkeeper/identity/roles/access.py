"""Who may call the doors of roles."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

RolesRead = Annotated[Actor, Depends(require(Permission.ROLES_READ))]
RolesWrite = Annotated[Actor, Depends(require(Permission.ROLES_WRITE))]
