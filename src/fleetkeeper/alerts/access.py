"""Who may call the doors of this room."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

AlertsRead = Annotated[Actor, Depends(require(Permission.ALERTS_READ))]
AlertsRespond = Annotated[Actor, Depends(require(Permission.ALERTS_RESPOND))]
AlertsWrite = Annotated[Actor, Depends(require(Permission.ALERTS_WRITE))]
