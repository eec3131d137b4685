"""Who may call the doors of this room."""

from typing import Annotated

from fastapi import Depends, Request

from fleetkeeper.database.engine import Database
from fleetkeeper.devices.keys import DeviceCaller, find_caller
from fleetkeeper.errors import UnauthenticatedError
from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

DevicesRead = Annotated[Actor, Depends(require(Permission.DEVICES_READ))]
DevicesWrite = Annotated[Actor, Depends(require(Permission.DEVICES_WRITE))]


async def calling_device(request: Request) -> DeviceCaller:
    """The device whose key came with the request. Raises UnauthenticatedError."""
    database: Database = request.app.state.database
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    caller = None
    if scheme.lower() == "bearer":
        async with database.session() as session:
            caller = await find_caller(session, secret.strip())
    if caller is None:
        raise UnauthenticatedError(
            "Send the device's key as `Authorization: Bearer …`; it may have been revoked."
        )
    return caller


CallingDevice = Annotated[DeviceCaller, Depends(calling_device)]
