"""Who may call the doors of this room."""

from typing import Annotated

from fastapi import Depends, Request

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.devices.keys import DeviceCaller, find_caller
from fleetkeeper.errors import UnauthenticatedError
from fleetkeeper.identity.access import origin_of, require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

DevicesRead = Annotated[Actor, Depends(require(Permission.DEVICES_READ))]
DevicesDelete = Annotated[Actor, Depends(require(Permission.DEVICES_DELETE))]
DevicesWrite = Annotated[Actor, Depends(require(Permission.DEVICES_WRITE))]


async def calling_device(request: Request) -> DeviceCaller:
    """The device whose key came with the request. Raises UnauthenticatedError."""
    database: Database = request.app.state.database
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    caller = None
    if scheme.lower() == "bearer":
        async with database.session(product_context("job", "devices.find_caller")) as session:
            caller = await find_caller(session, secret.strip())
    if caller is None:
        raise UnauthenticatedError(
            "Send the device's key as `Authorization: Bearer …`; it may have been revoked."
        )
    request.state.transaction_context = product_context(
        "device", caller.name, device=str(caller.device_id), **origin_of(request)
    )
    return caller


CallingDevice = Annotated[DeviceCaller, Depends(calling_device)]
