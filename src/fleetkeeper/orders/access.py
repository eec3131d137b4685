"""Who may call the doors of this room."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

OrdersRead = Annotated[Actor, Depends(require(Permission.ORDERS_READ))]
OrdersWrite = Annotated[Actor, Depends(require(Permission.ORDERS_WRITE))]
