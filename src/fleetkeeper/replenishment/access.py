"""Who may call the doors of this room."""

from typing import Annotated

from fastapi import Depends

from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

ProposalsRead = Annotated[Actor, Depends(require(Permission.ORDERS_READ))]
ProposalsWrite = Annotated[Actor, Depends(require(Permission.ORDERS_WRITE))]
ForecastsRead = Annotated[Actor, Depends(require(Permission.STOCK_READ))]
StockWrite = Annotated[Actor, Depends(require(Permission.STOCK_WRITE))]
