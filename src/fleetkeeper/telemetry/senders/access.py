"""Who may call the senders' doors, and who may look after rules and hosts."""

from collections.abc import Hashable
from typing import Annotated

from fastapi import Depends, Request

from fleetkeeper.errors import BadRequestError, FieldError
from fleetkeeper.identity.access import CREDENTIAL_PARAMETERS, client_address, origin_of
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.handed_on import HandedOn
from fleetkeeper.kit.services import services_of
from fleetkeeper.telemetry.senders.callers import Caller
from fleetkeeper.telemetry.senders.intake import SenderIntake

# `p` is where InfluxDB 1 takes a password.
_CREDENTIALS = CREDENTIAL_PARAMETERS | {"p", "password"}


async def _find_sender(request: Request) -> Caller:
    if _CREDENTIALS & request.query_params.keys():
        raise BadRequestError(
            "Do not put a credential into a URL. Send it in the header Authorization, and revoke this one.",
            fields=[FieldError("Authorization", "carries the token")],
        )
    intake = services_of(request).get(SenderIntake)
    authorization = request.headers.get("authorization", "")
    return await intake.callers.find(authorization, client_address(request), origin_of(request))


_sender = HandedOn(_find_sender)


async def sender_ahead(request: Request) -> Hashable:
    """Whose requests count together, before the body is read. Raises what `sending` does."""
    return (await _sender.ahead(request)).key


async def sending(request: Request) -> Caller:
    """An API token with the permission to write telemetry, or a device's key.

    Raises UnauthenticatedError, ForbiddenError, and BadRequestError for a credential in the address.
    """
    return await _sender(request)


# The walk over all routes finds it here.
sending.permission = Permission.TELEMETRY_WRITE  # type: ignore[attr-defined]

Sending = Annotated[Caller, Depends(sending)]
