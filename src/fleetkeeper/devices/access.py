"""Who may call the doors of this room."""

from collections.abc import Hashable
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.devices.keys import KEY_PREFIX, DeviceCaller, find_caller
from fleetkeeper.errors import UnauthenticatedError
from fleetkeeper.identity.access import origin_of, require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.handed_on import HandedOn
from fleetkeeper.kit.services import services_of

DevicesRead = Annotated[Actor, Depends(require(Permission.DEVICES_READ))]
DevicesCreate = Annotated[Actor, Depends(require(Permission.DEVICES_CREATE))]
DevicesDelete = Annotated[Actor, Depends(require(Permission.DEVICES_DELETE))]
DevicesWrite = Annotated[Actor, Depends(require(Permission.DEVICES_WRITE))]


async def _find_key_s_device(request: HTTPConnection) -> DeviceCaller | None:
    database = services_of(request).get(Database)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip().startswith(KEY_PREFIX + "_"):
        return None
    async with database.session(product_context("job", "devices.find_caller")) as session:
        return await find_caller(session, secret.strip())


_key_s_device = HandedOn(_find_key_s_device)


async def device_ahead(request: Request) -> Hashable:
    """Whose requests count together, before the body is read. Raises UnauthenticatedError."""
    return _known(await _key_s_device.ahead(request)).device_id


async def calling_device(request: Request) -> DeviceCaller:
    """The device whose key came with the request. Raises UnauthenticatedError."""
    caller = _known(await _key_s_device(request))
    request.state.transaction_context = product_context(
        "device", caller.name, device=str(caller.device_id), **origin_of(request)
    )
    return caller


async def connecting_device(connection: HTTPConnection) -> DeviceCaller:
    """The device whose key came with a WebSocket's first request. Raises UnauthenticatedError."""
    return _known(await _find_key_s_device(connection))


def _known(caller: DeviceCaller | None) -> DeviceCaller:
    if caller is None:
        raise UnauthenticatedError(
            "Send the device's key as `Authorization: Bearer …`; it may have been revoked."
        )
    return caller


ConnectingDevice = Annotated[DeviceCaller, Depends(connecting_device)]
CallingDevice = Annotated[DeviceCaller, Depends(calling_device)]
