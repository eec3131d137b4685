"""Requests that the product answers by itself: rooms above declare a function for each type."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.device_requests.handling.schemas import LeasedRequest
from fleetkeeper.kit.clock import utc_now


class AutomationError(Exception):
    """A request that its automation cannot answer, now or later; the message is for people."""


# Gets a session of its own transaction, and returns the answer's content. Raises AutomationError.
Automation = Callable[[AsyncSession, LeasedRequest], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Declared:
    """An automation and the type that it answers."""

    request_type: str
    function: Automation


AUTOMATIONS: dict[str, Declared] = {}


def declare_automation(request_type: str, function: Automation) -> None:
    """Answer requests of a type by a function. Raises ValueError for a type that another answers."""
    if request_type in AUTOMATIONS:
        raise ValueError(f"two automations answer {request_type}")
    AUTOMATIONS[request_type] = Declared(request_type, function)


async def _ping(session: AsyncSession, request: LeasedRequest) -> dict[str, Any]:
    """What a device sends to see whether it is heard."""
    del session
    return {"pong": True, "server_time": utc_now().isoformat(), "device": request.device_name}


declare_automation("ping", _ping)
