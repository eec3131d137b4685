"""Who may call the doors of this room, and what they work with."""

from typing import Annotated

from fastapi import Depends, Request

from fleetkeeper.identity.access import public_origin, require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.outgoing import Reach
from fleetkeeper.notifications.channels.service import Outgoing

NotificationsRead = Annotated[Actor, Depends(require(Permission.NOTIFICATIONS_READ))]
NotificationsWrite = Annotated[Actor, Depends(require(Permission.NOTIFICATIONS_WRITE))]


def outgoing(request: Request) -> Outgoing:
    """What sending takes."""
    state = request.app.state
    return Outgoing(state.sealer, Reach.of(state.settings.outgoing), public_origin(request))


Sending = Annotated[Outgoing, Depends(outgoing)]
