"""Who may call the doors of this room, and what they work with."""

from typing import Annotated

from fastapi import Depends, Request

from fleetkeeper.identity.access import public_origin, require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.outgoing import Reach
from fleetkeeper.kit.sealing import Sealer
from fleetkeeper.kit.services import services_of
from fleetkeeper.notifications.channels.service import Outgoing
from fleetkeeper.settings import Settings

NotificationsRead = Annotated[Actor, Depends(require(Permission.NOTIFICATIONS_READ))]
NotificationsWrite = Annotated[Actor, Depends(require(Permission.NOTIFICATIONS_WRITE))]


def outgoing(request: Request) -> Outgoing:
    """What sending takes."""
    services = services_of(request)
    reach = Reach.of(services.get(Settings).outgoing)
    return Outgoing(services.get(Sealer), reach, public_origin(request))


Sending = Annotated[Outgoing, Depends(outgoing)]
