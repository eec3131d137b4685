"""Who may call the doors of this room."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

RequestsRead = Annotated[Actor, Depends(require(Permission.REQUESTS_READ))]
RequestsWrite = Annotated[Actor, Depends(require(Permission.REQUESTS_WRITE))]
DecisionsWrite = Annotated[Actor, Depends(require(Permission.DECISIONS_WRITE))]
